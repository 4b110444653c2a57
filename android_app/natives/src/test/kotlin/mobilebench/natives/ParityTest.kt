package mobilebench.natives

import mobilebench.core.running.Model
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
class ParityTest(private val case: Case) {
    private val limit = when (case.precision) {
        "fp32" -> 1e-5
        "fp16" -> 2e-3
        else -> 0.024
    }

    @Test
    fun `outputs are those of the Python runtime`() {
        for ((place, entry) in case.entries.withIndex()) {
            Runtimes.named(case.runtime).load(case.request(entry)).use { model ->
                assertEquals(case.outputs.map { it.shape }, model.outputs.map { it.shape })
                compare(model, case.runtime, place)
            }
        }
    }

    @Test
    fun `XNNPACK in ONNX Runtime gives the same outputs`() {
        if (case.runtime != "onnxruntime") return
        Runtimes.onnx.load(case.request(delegate = "xnnpack")).use { model ->
            compare(model, "onnxruntime with XNNPACK", 0)
        }
    }

    private fun compare(model: Model, by: String, place: Int) {
        var largest = 0.0
        for ((inputs, expected) in case.fed().zip(case.expected(place))) {
            model.feed(inputs)
            model.run()
            val outputs = model.read()
            for ((at, spec) in case.outputs.withIndex()) {
                largest = maxOf(largest, relativeDifference(spec, outputs[at], expected[at]))
            }
        }
        val entry = case.entries[place] ?: "-"
        println("PARITY\t${case.network}\t${case.recipe}\t$by\t$entry\t$largest")
        assertTrue("$case is off by $largest of its largest value, above $limit", largest <= limit)
    }

    companion object {
        @JvmStatic
        @Parameters(name = "{0}")
        fun cases(): List<Array<Case>> = Case.all.map { arrayOf(it) }
    }
}
