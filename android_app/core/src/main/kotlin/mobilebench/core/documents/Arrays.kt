package mobilebench.core.documents

import java.io.File
import java.io.RandomAccessFile
import java.nio.ByteBuffer
import java.nio.ByteOrder
import mobilebench.core.json.DocumentRefused

/** Return an empty little-endian array for a tensor, outside the heap, as libraries want it. */
fun arrayFor(tensor: TensorSpec): ByteBuffer =
    ByteBuffer.allocateDirect(tensor.bytes).order(ByteOrder.LITTLE_ENDIAN)

/** Require that a file has the size of batches of plain arrays. Throws [DocumentRefused]. */
internal fun requireBatches(file: File, tensors: List<TensorSpec>, count: Int) {
    // Sizes are those of a job, so their product may be any.
    val needed = tensors.sumOf { it.bytes.toLong() }.toBigInteger() * count.toBigInteger()
    if (file.length().toBigInteger() == needed) return
    throw DocumentRefused(
        "${file.name} has ${file.length()} bytes, and $count batches of " +
            "${tensors.joinToString()} have $needed; copy it again.",
    )
}

/**
 * Read batches of plain arrays: batch after batch, in each the tensors in their order.
 *
 * Throws [DocumentRefused] for a file of another size.
 */
fun readBatches(file: File, tensors: List<TensorSpec>, count: Int): List<List<ByteBuffer>> {
    requireBatches(file, tensors, count)
    return RandomAccessFile(file, "r").use { open ->
        List(count) {
            tensors.map { tensor ->
                arrayFor(tensor).also { array ->
                    while (array.hasRemaining()) check(open.channel.read(array) >= 0)
                    array.rewind()
                }
            }
        }
    }
}

/** Return the number at an index of an array, whatever its type. */
fun ByteBuffer.numberAt(index: Int, dtype: DType): Double = when (dtype) {
    DType.FLOAT32 -> getFloat(index * dtype.bytes).toDouble()
    DType.FLOAT16 -> halfToDouble(getShort(index * dtype.bytes))
    DType.INT8 -> get(index).toDouble()
    DType.UINT8, DType.BOOL -> (get(index).toInt() and 0xff).toDouble()
    DType.INT32 -> getInt(index * dtype.bytes).toDouble()
    DType.INT64 -> getLong(index * dtype.bytes).toDouble()
}

/** Return the value of a number in IEEE 754's half precision. */
fun halfToDouble(bits: Short): Double {
    val exponent = (bits.toInt() shr 10) and 0x1f
    val fraction = bits.toInt() and 0x3ff
    val size = when (exponent) {
        0 -> Math.scalb(fraction.toDouble(), -24)
        0x1f -> if (fraction == 0) Double.POSITIVE_INFINITY else Double.NaN
        else -> Math.scalb((fraction or 0x400).toDouble(), exponent - 25)
    }
    return if (bits < 0) -size else size
}

/** Return the nearest number in half precision, as its bits; ties go to the even one. */
fun halfOf(number: Double): Short {
    val sign = if (number < 0 || 1 / number < 0) 0x8000 else 0
    val size = Math.abs(number)
    val bits = when {
        number.isNaN() -> 0x7e00
        size >= 65_520 -> 0x7c00
        // Below 2^-14 the steps are 2^-24 wide. The carry into the exponent is right by itself.
        size < Math.scalb(1.0, -14) -> Math.rint(Math.scalb(size, 24)).toInt()
        else -> {
            val exponent = Math.getExponent(size)
            val fraction = Math.rint(Math.scalb(size, 10 - exponent)).toInt()
            ((exponent + 15) shl 10) + fraction - 0x400
        }
    }
    return (sign or bits).toShort()
}
