package mobilebench.natives

import java.io.File
import mobilebench.core.documents.Refused
import org.junit.Assert.assertTrue
import org.junit.Assert.fail
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.junit.runners.Parameterized
import org.junit.runners.Parameterized.Parameters

/** A file that is cut off anywhere is refused in a sentence, and ends no process. */
@RunWith(Parameterized::class)
class CutFilesTest(private val name: String) {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun `every cut is refused`() {
        val case = Case.small(name)
        val whole = case.model.readBytes()
        val lengths = (0 until minOf(256, whole.size)) + (256 until whole.size step STEP) +
            (whole.size - 64 until whole.size)
        for (length in lengths) {
            val cut = File(folder.root, "cut").apply { writeBytes(whole.copyOf(length)) }
            try {
                Runtimes.named(name).load(case.request().copy(file = cut)).close()
                fail("$name took $length of ${whole.size} bytes")
            } catch (refusal: Refused) {
                val said = checkNotNull(refusal.message)
                assertTrue("$length: $said", said.startsWith("cut ") && said.endsWith("."))
            }
        }
    }

    private companion object {
        const val STEP = 37

        @JvmStatic
        @Parameters(name = "{0}")
        fun runtimes() = listOf("onnxruntime", "litert", "executorch")
    }
}
