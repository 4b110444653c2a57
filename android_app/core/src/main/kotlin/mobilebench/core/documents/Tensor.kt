package mobilebench.core.documents

/** Element types of tensors, by the names of NumPy. */
enum class DType(override val word: String, val bytes: Int) : Word {
    FLOAT32("float32", 4), FLOAT16("float16", 2), INT8("int8", 1), UINT8("uint8", 1),
    INT32("int32", 4), INT64("int64", 8), BOOL("bool", 1),
}

/** One tensor of a static graph; images are (N, C, H, W). */
data class TensorSpec(val name: String, val shape: List<Int>, val dtype: DType = DType.FLOAT32) {
    /** Number of elements. */
    val elements: Int get() = shape.fold(1) { product, size -> Math.multiplyExact(product, size) }

    val bytes: Int get() = Math.multiplyExact(elements, dtype.bytes)

    override fun toString(): String =
        "$name ${if (shape.isEmpty()) "scalar" else shape.joinToString("x")} ${dtype.word}"
}
