package mobilebench.natives

import java.nio.ByteBuffer

/** The outputs of a case that are compared together: all of them, or the one of a name. */
class Compared private constructor(val case: Case, private val name: String?) {
    private val places: List<Int> =
        if (name == null) case.outputs.indices.toList() else listOf(case.names.indexOf(name))

    val network: String get() = if (name == null) case.network else "${case.network} $name"

    /** Return the largest difference over batches, as a share of an output's largest value. */
    fun largestDifference(
        actual: List<List<ByteBuffer>>, expected: List<List<ByteBuffer>>,
    ): Double {
        check(actual.size == expected.size && actual.isNotEmpty()) { "${actual.size} batches" }
        return actual.zip(expected).maxOf { (ours, theirs) ->
            places.maxOf { relativeDifference(case.outputs[it], ours[it], theirs[it]) }
        }
    }

    override fun toString(): String = "$network ${case.recipe}"

    companion object {
        fun of(case: Case): List<Compared> {
            if (case.names.isEmpty()) return listOf(Compared(case, null))
            check(case.names.size == case.outputs.size) { "$case names ${case.names}" }
            return case.names.map { Compared(case, it) }
        }
    }
}
