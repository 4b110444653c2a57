package mobilebench.core.running

import java.nio.ByteBuffer
import kotlin.math.abs
import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.ExpectedOutput
import mobilebench.core.documents.OutputParity
import mobilebench.core.documents.TensorSpec
import mobilebench.core.documents.UnitParity
import mobilebench.core.documents.numberAt

/**
 * Compute the inputs of every batch, and return how far each output is off in the worst of them.
 *
 * Throws [ModelFailed] for another number of outputs, and for outputs of another shape.
 */
fun checkOutputs(
    model: Model,
    inputs: List<List<ByteBuffer>>,
    expected: List<List<ByteBuffer>>,
    outputs: List<ExpectedOutput>,
    unit: ComputeUnit,
): UnitParity {
    requireSame(model.outputs, outputs.map { it.tensor })
    val computed = inputs.map { batch ->
        model.feed(batch)
        model.run()
        model.read()
    }
    return UnitParity(
        unit,
        outputs.mapIndexed { place, output ->
            val errors = computed.indices.map { batch ->
                val one = Numbers(expected[batch][place], output.tensor)
                relativeError(one, Numbers(computed[batch][place], model.outputs[place]))
            }
            val worst = if (errors.any { it == null }) null else errors.filterNotNull().maxOrNull()
            OutputParity(output.tensor.name, worst, output.limitOn(unit))
        },
    )
}

private fun requireSame(given: List<TensorSpec>, expected: List<TensorSpec>) {
    if (given.size != expected.size) {
        throw ModelFailed("the model gives ${given.size} outputs, and ${expected.size} are expected")
    }
    for ((one, other) in given.zip(expected)) {
        if (one.shape != other.shape) {
            throw ModelFailed("the output ${other.name} is $one, and $other is expected")
        }
    }
}

/** An array and what it holds. */
class Numbers(private val array: ByteBuffer, private val tensor: TensorSpec) {
    val size: Int get() = tensor.elements

    operator fun get(index: Int): Double = array.numberAt(index, tensor.dtype)
}

/**
 * Return the largest difference over the largest expected value.
 *
 * The difference itself where zeros are expected; null where a number is not finite.
 */
fun relativeError(expected: Numbers, computed: Numbers): Double? {
    var largest = 0.0
    var difference = 0.0
    for (index in 0 until expected.size) {
        val one = expected[index]
        val other = computed[index]
        if (other.isNaN() || other.isInfinite()) return null
        largest = maxOf(largest, abs(one))
        difference = maxOf(difference, abs(one - other))
    }
    return if (largest == 0.0) difference else difference / largest
}
