package mobilebench.core.running

import java.nio.ByteBuffer
import java.util.Random
import mobilebench.core.documents.DType
import mobilebench.core.documents.TensorSpec
import mobilebench.core.documents.arrayFor
import mobilebench.core.documents.halfOf

/**
 * Draw inputs to time a network with.
 *
 * Floats are standard normal, as in a normalised image; pixels (uint8) are 0 to 255; the rest is 0
 * or 1, which every index and mask allows. Python draws other numbers from the same seed.
 */
fun noise(inputs: List<TensorSpec>, seed: Long): List<ByteBuffer> {
    val random = Random(seed)
    return inputs.map { tensor -> arrayFor(tensor).also { draw(it, tensor, random) } }
}

private fun draw(array: ByteBuffer, tensor: TensorSpec, random: Random) {
    repeat(tensor.elements) {
        when (tensor.dtype) {
            DType.FLOAT32 -> array.putFloat(random.nextGaussian().toFloat())
            DType.FLOAT16 -> array.putShort(halfOf(random.nextGaussian()))
            DType.UINT8 -> array.put(random.nextInt(256).toByte())
            DType.INT8, DType.BOOL -> array.put(random.nextInt(2).toByte())
            DType.INT32 -> array.putInt(random.nextInt(2))
            DType.INT64 -> array.putLong(random.nextInt(2).toLong())
        }
    }
    array.rewind()
}
