package mobilebench.natives

import java.nio.ByteBuffer
import mobilebench.core.documents.DType
import mobilebench.core.documents.TensorSpec

/**
 * Return the largest difference of two outputs, as a share of the expected one's largest value.
 *
 * This is how parity is judged everywhere in mobilebench. Infinite where a value is not finite.
 */
fun relativeDifference(spec: TensorSpec, actual: ByteBuffer, expected: ByteBuffer): Double {
    val ours = values(spec, actual)
    val theirs = values(spec, expected)
    val largest = theirs.maxOf { Math.abs(it) }
    val difference = ours.indices.maxOf { Math.abs(ours[it] - theirs[it]) }
    return when {
        !difference.isFinite() -> Double.POSITIVE_INFINITY
        difference == 0.0 -> 0.0
        else -> difference / largest
    }
}

private fun values(spec: TensorSpec, buffer: ByteBuffer): DoubleArray =
    DoubleArray(spec.elements) { place ->
        when (spec.dtype) {
            DType.FLOAT32 -> buffer.getFloat(place * 4).toDouble()
            DType.INT32 -> buffer.getInt(place * 4).toDouble()
            DType.INT64 -> buffer.getLong(place * 8).toDouble()
            else -> error("no case gives ${spec.dtype}")
        }
    }
