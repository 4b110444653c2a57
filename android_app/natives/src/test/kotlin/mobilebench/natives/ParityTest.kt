package mobilebench.natives

import java.nio.ByteBuffer
import mobilebench.core.running.ModelRequest
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.junit.runners.Parameterized
import org.junit.runners.Parameterized.Parameters

/**
 * The Android libraries compute what the Python runtimes compute, on the same files.
 *
 * They are other versions, built by another compiler for another machine, so sums are in another
 * order. For floats that leaves what a file may be off from PyTorch, 1e-5. A network in 16 bits has
 * 11 bits for a value, and four roundings of them are 2e-3. One in 8 bits turns a difference into a
 * whole step where a value lies between two, and three steps of 127 are 0.024.
 */
@RunWith(Parameterized::class)
class ParityTest(private val compared: Compared) {
    private val case = compared.case
    private val limit = when (case.precision) {
        "fp32" -> 1e-5
        "fp16" -> 2e-3
        else -> 0.024
    }

    @Test
    fun `outputs are those of the Python runtime`() {
        for ((place, entry) in case.entries.withIndex()) {
            compare(case.request(entry), case.runtime, place)
        }
    }

    @Test
    fun `XNNPACK in ONNX Runtime gives the same outputs`() {
        if (case.runtime != "onnxruntime") return
        compare(case.request(delegate = "xnnpack"), "onnxruntime with XNNPACK", 0)
    }

    private fun compare(request: ModelRequest, by: String, place: Int) {
        val batches = computed.getOrPut(case to request) { run(request) }
        val largest = compared.largestDifference(batches, case.expected(place))
        val entry = case.entries[place] ?: "-"
        println("PARITY\t${compared.network}\t${case.recipe}\t$by\t$entry\t$largest")
        assertTrue(
            "$compared is off by $largest of its largest value, above $limit", largest <= limit,
        )
    }

    private fun run(request: ModelRequest): List<List<ByteBuffer>> =
        Runtimes.named(case.runtime).load(request).use { model ->
            assertEquals(case.outputs.map { it.shape }, model.outputs.map { it.shape })
            case.fed().map { inputs ->
                model.feed(inputs)
                model.run()
                model.read()
            }
        }

    companion object {
        /** Outputs of each batch: one run of a file serves all of its outputs that have names. */
        private val computed = HashMap<Pair<Case, ModelRequest>, List<List<ByteBuffer>>>()

        @JvmStatic
        @Parameters(name = "{0}")
        fun cases(): List<Array<Compared>> =
            Case.all.flatMap(Compared::of).map { arrayOf(it) }
    }
}
