package mobilebench.executorch

/** A method of a program: what it takes and gives, and the steps between. */
internal class Method(plan: Table, parts: Parts) {
    val name: String = plan.text(0) ?: throw Damaged("a method has no name")

    /** Identifiers of the backends that it calls, each once. */
    val backends: List<String>

    /** Names of the operators that it calls, with their overload: `aten::add.out`. */
    val operators: List<String>

    /** Null for what is no tensor. */
    val inputs: List<ProgramTensor?>
    val outputs: List<ProgramTensor?>
    val steps: List<Step>

    init {
        val pools = plan.longs(POOLS)
        if (pools.any { it < 0 || it > MOST_BYTES }) throw Damaged("it asks for memory of $pools")
        val values = plan.tables(2)
        val tensors = values.map { value(it, values.size, parts, pools) }
        inputs = plan.ints(3).map { tensors[index(it, values.size, "value")] }
        outputs = plan.ints(4).map { tensors[index(it, values.size, "value")] }
        operators = plan.tables(6).map(::operator)
        val delegates = plan.tables(7).map { delegate(it, parts) }
        backends = delegates.distinct()
        steps = plan.tables(5).flatMap { chain ->
            val instructions = chain.tables(2)
            instructions.mapNotNull { step(it, delegates, values.size, instructions.size) }
        }
    }

    /** Check a value; return it where it is a tensor. */
    private fun value(value: Table, count: Int, parts: Parts, pools: List<Long>): ProgramTensor? {
        val kind = value.byte(0)
        val content = value.table(1)
        if (kind !in VALUES) throw Damaged("a value is of the kind $kind")
        if (content == null) throw Damaged("a value has no content")
        when (kind) {
            TENSOR -> return ProgramTensor(content, parts, pools)
            STRING -> content.text(0) ?: throw Damaged("a text is missing")
            // Of numbers; a list of integers names the values that hold them.
            INTEGERS -> for (place in content.longs(0)) index(place.toInt(), count, "value")
            DOUBLES -> content.longs(0)
            BOOLS -> content.size(0)
            // Of tensors; -1 stands for none.
            TENSORS, OPTIONAL_TENSORS -> for (place in content.ints(0)) {
                if (kind == TENSORS || place != -1) index(place, count, "value")
            }
        }
        return null
    }

    private fun operator(table: Table): String {
        val name = table.text(0) ?: throw Damaged("an operator has no name")
        val overload = table.text(1).orEmpty()
        return if (overload.isEmpty()) name else "$name.$overload"
    }

    private fun delegate(table: Table, parts: Parts): String {
        val data = table.table(1) ?: throw Damaged("a delegate has no content")
        when (data.byte(0)) {
            INLINE -> index(data.int(1), parts.inlineData, "content of a delegate")
            SEGMENT -> index(data.int(1), parts.segments, "part")
            else -> throw Damaged("the content of a delegate lies in ${data.byte(0)}")
        }
        for (each in table.tables(2)) {
            each.text(0)
            each.size(1)
        }
        return table.text(0) ?: throw Damaged("a delegate has no name")
    }

    /** Check an instruction; return what computes. */
    private fun step(table: Table, delegates: List<String>, values: Int, count: Int): Step? {
        val call = table.table(1) ?: throw Damaged("an instruction is empty")
        fun requireValues(places: List<Int>) {
            for (place in places) index(place, values, "value")
        }
        when (table.byte(0)) {
            KERNEL -> {
                requireValues(call.ints(1))
                return Step(operators[index(call.int(0), operators.size, "operator")], null)
            }
            DELEGATE -> {
                requireValues(call.ints(1))
                val backend = delegates[index(call.int(0), delegates.size, "delegate")]
                return Step(backend, backend)
            }
            MOVE -> requireValues(listOf(call.int(0), call.int(1)))
            JUMP -> {
                requireValues(listOf(call.int(0)))
                index(call.int(1), count + 1, "instruction")
            }
            FREE -> requireValues(listOf(call.int(0)))
            else -> throw Damaged("an instruction is of the kind ${table.byte(0)}")
        }
        return null
    }

    private companion object {
        const val POOLS = 8
        const val MOST_BYTES = 1L shl 32

        // The kinds of values and of instructions, by their place in the unions of the schema.
        const val TENSOR = 5
        const val STRING = 6
        const val INTEGERS = 7
        const val DOUBLES = 8
        const val BOOLS = 9
        const val TENSORS = 10
        const val OPTIONAL_TENSORS = 11
        val VALUES = 1..OPTIONAL_TENSORS
        const val KERNEL = 1
        const val DELEGATE = 2
        const val MOVE = 3
        const val JUMP = 4
        const val FREE = 5
        const val INLINE = 0
        const val SEGMENT = 1
    }
}

/** One call of a method: an operator, or a backend with all that it took over. */
internal class Step(val kind: String, val backend: String?)
