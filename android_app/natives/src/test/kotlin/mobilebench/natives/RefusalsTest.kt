package mobilebench.natives

import java.io.File
import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.DType
import mobilebench.core.documents.TensorSpec
import mobilebench.core.running.ModelRequest
import mobilebench.core.running.Refused
import mobilebench.core.running.Runtime
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

class RefusalsTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val runtimes = listOf("onnxruntime", "litert", "executorch")

    @Test
    fun `each runtime computes on the CPU here and says why on no other unit`() {
        for (runtime in runtimes.map(Runtimes::named)) {
            assertNull(runtime.name, runtime.units[ComputeUnit.CPU])
            for (unit in listOf(ComputeUnit.NPU, ComputeUnit.ALL)) {
                val said = refusal(runtime, Case.small(runtime.name).request().copy(unit = unit))
                assertTrue(said, said.endsWith("${runtime.units[unit]}."))
            }
        }
    }

    @Test
    fun `a delegate that the build does not have is refused`() {
        assertSays("this build has no QNN", "onnxruntime") {
            copy(unit = ComputeUnit.NPU, delegate = "qualcomm")
        }
        assertSays("no delegate hexagon", "onnxruntime") { copy(delegate = "hexagon") }
        assertSays("no delegate hexagon", "litert") { copy(delegate = "hexagon") }
        assertSays("was made for XnnpackBackend", "executorch") { copy(delegate = "vulkan") }
    }

    @Test
    fun `a file that is not there is refused`() {
        for (name in runtimes) {
            assertSays("is not there", name) { copy(file = File(folder.root, "gone.bin")) }
        }
    }

    @Test
    fun `a file of another runtime is refused by name`() {
        for (name in runtimes) {
            for (other in runtimes - name) {
                val said = said(name) { copy(file = Case.small(other).model) }
                assertTrue("$name: $said", FOREIGN.containsMatchIn(said))
            }
        }
    }

    @Test
    fun `text, zeros and nothing are refused`() {
        val text = "a text of no format\n".repeat(20).toByteArray()
        val foreign = listOf(text, ByteArray(4096), ByteArray(0))
        for (name in runtimes) {
            for (content in foreign) {
                said(name) { copy(file = folder.newFile().apply { writeBytes(content) }) }
            }
        }
    }

    @Test
    fun `an entry that the file does not have is refused`() {
        for (name in runtimes) {
            assertSays("was asked for its entry x=1; it h", name) { copy(entry = "x=1") }
        }
    }

    @Test
    fun `inputs of another number, size or type are refused`() {
        for (name in runtimes) {
            val inputs = Case.small(name).inputs
            assertSays("takes 2 inputs, and the job has 1", name) { copy(inputs = inputs.take(1)) }
            val larger = inputs.map { it.copy(shape = it.shape.map { size -> size + 1 }) }
            assertSays("and the job feeds", name) { copy(inputs = larger) }
            val whole = inputs.map { it.copy(dtype = DType.INT64) }
            assertSays("and the job feeds", name) { copy(inputs = whole) }
        }
    }

    @Test
    fun `buffers of another size are a fault of the caller`() {
        for (name in runtimes) {
            val case = Case.small(name)
            Runtimes.named(name).load(case.request()).use { model ->
                val fed = case.fed().first()
                assertThrows(IllegalArgumentException::class.java) { model.feed(fed.take(1)) }
                assertThrows(IllegalArgumentException::class.java) { model.feed(fed.reversed()) }
            }
        }
    }

    private fun assertSays(part: String, name: String, change: ModelRequest.() -> ModelRequest) {
        val said = said(name, change)
        assertTrue("$name said: $said", part in said)
    }

    private fun said(name: String, change: ModelRequest.() -> ModelRequest): String =
        refusal(Runtimes.named(name), Case.small(name).request().change())

    private fun refusal(runtime: Runtime, request: ModelRequest): String {
        val said = assertThrows(Refused::class.java) { runtime.load(request).close() }.message
        return checkNotNull(said).also { assertTrue(it, it.endsWith(".")) }
    }

    private companion object {
        val FOREIGN = Regex("is not an? .* (file|program); give ")
    }
}
