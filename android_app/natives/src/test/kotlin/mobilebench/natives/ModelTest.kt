package mobilebench.natives

import java.nio.ByteBuffer
import mobilebench.core.documents.ComputeUnit
import mobilebench.core.running.Runtime
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

class ModelTest {
    @Test
    fun `versions are those of the parts that the app is built with`() {
        assertEquals("1.29.0", Runtimes.onnx.version)
        assertEquals("2.14.0", Runtimes.litert.version)
    }

    @Test
    fun `spinning is set in words that a record can keep`() {
        assertEquals(mapOf("session.intra_op.allow_spinning" to "1"), Runtimes.onnx.settings)
    }

    @Test
    fun `outputs of one run stay when the next one has other inputs`() {
        for (case in listOf("onnxruntime", "litert", "executorch").map(Case::small)) {
            Runtimes.named(case.runtime).load(case.request()).use { model ->
                val (first, second) = case.fed()
                model.feed(first)
                model.run()
                val kept = model.read()
                val bytes = kept.map(::bytes)
                model.feed(second)
                model.run()
                assertEquals(case.runtime, bytes, kept.map(::bytes))
                assertTrue(case.runtime, bytes != model.read().map(::bytes))
            }
        }
    }

    @Test
    fun `two models of one file do not disturb each other`() {
        for (case in listOf("onnxruntime", "litert", "executorch").map(Case::small)) {
            val runtime = Runtimes.named(case.runtime)
            val (first, second) = case.fed()
            runtime.load(case.request()).use { one ->
                runtime.load(case.request()).use { other ->
                    one.feed(first)
                    other.feed(second)
                    one.run()
                    val alone = one.read().map(::bytes)
                    other.run()
                    one.run()
                    assertEquals(case.runtime, alone, one.read().map(::bytes))
                }
            }
        }
    }

    @Test
    fun `ONNX Runtime tells which provider ran each operation`() {
        val case = Case.small("onnxruntime")
        assertEquals(setOf("CPUExecutionProvider"), providers(Runtimes.onnx, case, null))
        assertTrue("XnnpackExecutionProvider" in providers(Runtimes.onnx, case, "xnnpack"))
        assertEquals(emptyList<String>(), Runtimes.profiles.list().orEmpty().toList())
    }

    @Test
    fun `a program of ExecuTorch lists the backends that it calls`() {
        val case = Case.small("executorch")
        Runtimes.executorch.load(case.request()).use { model ->
            val placement = checkNotNull(model.placement)
            assertTrue(placement.any { it.kind == "XnnpackBackend" })
            assertEquals(setOf(ComputeUnit.CPU), placement.map { it.unit }.toSet())
        }
    }

    @Test
    fun `TensorFlow Lite tells of no placement`() {
        val case = Case.small("litert")
        Runtimes.litert.load(case.request()).use { assertNull(it.placement) }
    }

    private fun providers(runtime: Runtime, case: Case, delegate: String?): Set<String> =
        runtime.load(case.request(delegate = delegate)).use { model ->
            model.placement.orEmpty().map { it.kind.substringAfter('(').removeSuffix(")") }.toSet()
        }

    private fun bytes(buffer: ByteBuffer): List<Byte> = List(buffer.capacity(), buffer::get)
}
