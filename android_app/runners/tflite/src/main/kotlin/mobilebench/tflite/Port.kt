package mobilebench.tflite

import java.nio.ByteBuffer
import mobilebench.core.documents.DType
import mobilebench.core.documents.Refused
import mobilebench.core.documents.TensorSpec
import mobilebench.core.running.copy
import mobilebench.core.running.copyOf
import mobilebench.core.running.directBuffer
import org.tensorflow.lite.DataType
import org.tensorflow.lite.Tensor

/**
 * An input or output: the network's values outside, the file's own inside.
 *
 * A file that computes in 8 bits has whole numbers q for values (q - zero) * scale.
 */
internal class Port private constructor(tensor: Tensor, taken: TensorSpec?) {
    private val inside = dtype(tensor)
    private val scale = tensor.quantizationParams().scale
    private val zero = tensor.quantizationParams().zeroPoint
    private val label = tensor.name()

    /** The values that the library reads or writes. */
    val buffer: ByteBuffer = directBuffer(tensor.numBytes())

    /** As the network has it. */
    val spec: TensorSpec = taken ?: TensorSpec(
        label, tensor.shape().toList(), if (quantized()) DType.FLOAT32 else inside,
    )

    init {
        val fits = tensor.shape().toList() == spec.shape && when (spec.dtype) {
            inside -> true
            DType.FLOAT32 -> quantized()
            DType.INT64 -> inside == DType.INT32
            else -> false
        }
        if (!fits) {
            throw Refused(
                "the file takes $label ${tensor.shape().joinToString("x")} ${inside.word}, and " +
                    "the job feeds $spec; write the job again."
            )
        }
    }

    /** Convert values of the network to those of the file. */
    fun put(values: ByteBuffer) {
        when {
            spec.dtype == inside -> copy(values, buffer)
            spec.dtype == DType.FLOAT32 -> quantize(values)
            else -> narrow(values)
        }
    }

    /** Return a copy of the values as the network has them. */
    fun get(): ByteBuffer = if (spec.dtype == inside) copyOf(buffer) else dequantized()

    private fun quantized(): Boolean =
        scale != 0f && (inside == DType.INT8 || inside == DType.UINT8)

    private fun quantize(values: ByteBuffer) {
        val least = if (inside == DType.INT8) Byte.MIN_VALUE.toDouble() else 0.0
        val floats = values.duplicate().order(buffer.order()).asFloatBuffer()
        for (place in 0 until spec.elements) {
            val level = Math.rint((floats.get(place) / scale).toDouble()) + zero
            buffer.put(place, level.coerceIn(least, least + LEVELS).toInt().toByte())
        }
    }

    private fun dequantized(): ByteBuffer {
        val values = directBuffer(spec.bytes)
        for (place in 0 until spec.elements) {
            val byte = buffer.get(place).toInt()
            val level = if (inside == DType.INT8) byte else byte and 0xff
            values.putFloat(place * Float.SIZE_BYTES, (level - zero).toFloat() * scale)
        }
        return values
    }

    private fun narrow(values: ByteBuffer) {
        val longs = values.duplicate().order(buffer.order()).asLongBuffer()
        for (place in 0 until spec.elements) {
            val value = longs.get(place)
            if (value != value.toInt().toLong()) {
                throw Refused("the input $label holds $value, and the file takes int32.")
            }
            buffer.putInt(place * Int.SIZE_BYTES, value.toInt())
        }
    }

    companion object {
        private const val LEVELS = 255.0

        /** An input, as the job feeds it. Throws [Refused] where the file takes another. */
        operator fun invoke(tensor: Tensor, taken: TensorSpec): Port = Port(tensor, taken)

        /** An output. */
        operator fun invoke(tensor: Tensor): Port = Port(tensor, null)

        private fun dtype(tensor: Tensor): DType = when (tensor.dataType()) {
            DataType.FLOAT32 -> DType.FLOAT32
            DataType.INT32 -> DType.INT32
            DataType.INT64 -> DType.INT64
            DataType.INT8 -> DType.INT8
            DataType.UINT8 -> DType.UINT8
            DataType.BOOL -> DType.BOOL
            else -> throw Refused(
                "${tensor.name()} is of type ${tensor.dataType()}, which jobs cannot hold."
            )
        }
    }
}
