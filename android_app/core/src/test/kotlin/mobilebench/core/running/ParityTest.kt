package mobilebench.core.running

import java.nio.ByteBuffer
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNull
import kotlin.test.assertTrue
import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.DType
import mobilebench.core.documents.ExpectedOutput
import mobilebench.core.documents.TensorSpec
import mobilebench.core.documents.arrayFor
import mobilebench.core.documents.numberAt

class ParityTest {
    private val scores = TensorSpec("scores", listOf(1, 3))
    private val expected = ExpectedOutput(scores, limit = 1e-4, halfLimit = 1e-2)

    @Test
    fun `the error is the largest difference over the largest expected value`() {
        val error = relativeError(numbers(1f, -4f, 2f), numbers(1f, -4f, 2.5f))
        assertEquals(0.125, error)
    }

    @Test
    fun `where zeros are expected it is the difference itself`() {
        assertEquals(0.25, relativeError(numbers(0f, 0f, 0f), numbers(0f, -0.25f, 0f)))
    }

    @Test
    fun `an output that is not finite has no number`() {
        assertNull(relativeError(numbers(1f, 2f, 3f), numbers(1f, Float.NaN, 3f)))
        assertNull(relativeError(numbers(1f, 2f, 3f), numbers(Float.POSITIVE_INFINITY, 2f, 3f)))
    }

    @Test
    fun `the worst of all batches counts, against the limit of the unit`() {
        val input = listOf(listOf(array(1f, 2f, 4f)), listOf(array(2f, 2f, 4f)))
        val should = listOf(listOf(array(1f, 2f, 4f)), listOf(array(2f, 2f, 4.02f)))
        val onCpu = checkOutputs(Echo(scores), input, should, listOf(expected), ComputeUnit.CPU)
        assertEquals(0.02 / 4.02, onCpu.outputs.single().maxRelativeError!!, 1e-7)
        assertFalse(onCpu.passed)
        assertTrue(checkOutputs(Echo(scores), input, should, listOf(expected), ComputeUnit.NPU).passed)
    }

    @Test
    fun `one batch that is not finite fails the output`() {
        val input = listOf(listOf(array(1f, 2f, 4f)), listOf(array(Float.NaN, 2f, 4f)))
        val should = listOf(listOf(array(1f, 2f, 4f)), listOf(array(2f, 2f, 4f)))
        val parity = checkOutputs(Echo(scores), input, should, listOf(expected), ComputeUnit.CPU)
        assertNull(parity.outputs.single().maxRelativeError)
        assertFalse(parity.passed)
    }

    @Test
    fun `an output of another shape is no output to compare`() {
        val other = TensorSpec("scores", listOf(3, 1), DType.FLOAT32)
        val failed = assertFailsWith<ModelFailed> {
            checkOutputs(Echo(other), emptyList(), emptyList(), listOf(expected), ComputeUnit.CPU)
        }
        assertEquals(
            "the output scores is scores 3x1 float32, and scores 1x3 float32 is expected",
            failed.message,
        )
    }

    @Test
    fun `noise has the range of its type, and a seed gives it again`() {
        val tensors = DType.values().map { TensorSpec(it.word, listOf(500), it) }
        val drawn = noise(tensors, 7)
        for ((tensor, values) in tensors.zip(drawn)) {
            val numbers = List(500) { values.numberAt(it, tensor.dtype) }
            val range = when {
                tensor.dtype == DType.UINT8 -> 0.0..255.0
                tensor.dtype in setOf(DType.FLOAT32, DType.FLOAT16) -> -6.0..6.0
                else -> 0.0..1.0
            }
            assertTrue(numbers.all { it in range }, tensor.name)
            assertTrue(numbers.toSet().size > 1, tensor.name)
        }
        assertEquals(drawn, noise(tensors, 7))
        assertTrue(drawn != noise(tensors, 8))
    }

    private fun numbers(vararg values: Float) = Numbers(array(*values), scores)

    private fun array(vararg values: Float): ByteBuffer =
        arrayFor(scores).also { array -> values.forEach(array::putFloat) }.apply { rewind() }
}

/** A model whose output is its input. */
class Echo(output: TensorSpec) : Model {
    private var fed: List<ByteBuffer> = emptyList()

    override val outputs = listOf(output)

    override val placement = null

    override fun feed(inputs: List<ByteBuffer>) {
        fed = inputs
    }

    override fun run() = Unit

    override fun read(): List<ByteBuffer> = fed

    override fun close() = Unit
}
