package mobilebench.executorch

import mobilebench.core.documents.DType

/**
 * What a program of ExecuTorch holds, read from its own tables and checked.
 *
 * An error inside the library can end the process, so whatever can be seen in the file is looked at
 * before: that all indices exist, that every part lies in the file, and that the shapes are
 * possible. The numbers of fields are those of ExecuTorch's `schema/program.fbs`.
 */
internal class Program(root: Table, segmentBytes: Long) {
    val methods: List<Method>

    init {
        val parts = Parts(root, segmentBytes)
        methods = root.tables(PLANS).map { Method(it, parts) }
        if (methods.isEmpty()) throw Damaged("it holds no method")
    }

    companion object {
        private const val PLANS = 1
    }
}

/** The parts of a file that methods refer to. */
internal class Parts(root: Table, segmentBytes: Long) {
    /** Constants that lie between the tables: the first stands for none. */
    val buffers: Int = root.tables(2).onEach { it.size(0) }.size
    val inlineData: Int = root.tables(3).onEach { it.size(0) }.size
    val segments: Int
    val constants: Int

    init {
        val sizes = root.tables(4).map { segment ->
            val offset = segment.long(0)
            val size = segment.long(1)
            if (offset < 0 || size < 0 || offset > segmentBytes - size) {
                throw Damaged("a part of $size bytes lies at $offset of $segmentBytes")
            }
            size
        }
        segments = sizes.size
        constants = root.table(5)?.let { offsets(it, sizes) } ?: 0
        for (each in root.tables(6)) offsets(each, sizes)
        for (each in root.tables(7)) index(each.int(1), segments, "part")
    }

    /** Check the offsets of constants in a part; return their number. */
    private fun offsets(table: Table, sizes: List<Long>): Int {
        val starts = table.longs(1)
        if (starts.isEmpty()) return 0
        val size = sizes[index(table.int(0), sizes.size, "part")]
        if (starts.any { it < 0 || it > size }) throw Damaged("a constant lies outside its part")
        return starts.size
    }
}

/** A tensor of a method; its sizes are those that the program was made for. */
internal class ProgramTensor(table: Table, parts: Parts, pools: List<Long>) {
    val code: Int = table.byte(0)
    val shape: List<Int> = table.ints(2)
    private val order = table.bytes(3)

    /** Null for a type that jobs cannot hold. */
    val dtype: DType? = DTYPES[code]

    /** Whether the sizes are fixed, and the elements lie as those of a plain array. */
    val plain: Boolean = table.byte(8) == 0 && order == shape.indices.toList()

    init {
        if (shape.any { it < 0 }) throw Damaged("a tensor has the sizes $shape")
        if (order.sorted() != shape.indices.toList()) throw Damaged("a tensor has the order $order")
        val elements = shape.fold(1L, ::limited)
        val constant = table.int(5)
        val most = maxOf(parts.buffers, parts.constants)
        val planned = table.table(6)
        if (constant != 0 && planned == null && table.table(9) == null) {
            index(constant, most, "constant")
        }
        planned?.let { requirePlanned(it, pools, elements) }
    }

    private fun requirePlanned(planned: Table, pools: List<Long>, elements: Long) {
        // The first pool stands for none.
        val pool = index(planned.int(0), pools.size, "pool of memory")
        val offset = planned.long32(1) or (planned.long32(2) shl 32)
        if (offset < 0 || offset > pools[pool] - elements * (SIZES[code] ?: 1)) {
            throw Damaged("a tensor lies outside its pool of memory")
        }
    }

    private fun Table.long32(field: Int): Long = int(field).toLong() and 0xffffffffL

    companion object {
        private const val LARGEST = 1L shl 40

        private fun limited(product: Long, size: Int): Long {
            if (size > 0 && product > LARGEST / size) throw Damaged("a tensor is impossibly large")
            return product * size
        }

        private val DTYPES = mapOf(
            0 to DType.UINT8, 1 to DType.INT8, 3 to DType.INT32, 4 to DType.INT64,
            5 to DType.FLOAT16, 6 to DType.FLOAT32,
        )

        /** Bytes of an element, by the code of its type. */
        private val SIZES = mapOf(
            0 to 1, 1 to 1, 2 to 2, 3 to 4, 4 to 8, 5 to 2, 6 to 4, 7 to 8, 11 to 1, 15 to 2,
            22 to 2, 27 to 2, 28 to 4, 29 to 8,
        )
    }
}

/** Return an index, checked against the number of things that it counts. */
internal fun index(index: Int, count: Int, noun: String): Int {
    if (index !in 0 until count) throw Damaged("it names $noun $index of $count")
    return index
}
