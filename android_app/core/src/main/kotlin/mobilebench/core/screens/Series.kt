package mobilebench.core.screens

/** Numbers over time, the earliest first; NaN is a gap. Only the first [size] entries count. */
class Series(val tNs: LongArray, val values: DoubleArray, val size: Int = tNs.size) {
    init {
        require(size <= tNs.size && size <= values.size) { "$size is more than the columns hold" }
    }

    /** The lowest and the highest value; null where all is gap. */
    fun extent(): Pair<Double, Double>? {
        var low = Double.POSITIVE_INFINITY
        var high = Double.NEGATIVE_INFINITY
        for (index in 0 until size) {
            if (values[index] < low) low = values[index]
            if (values[index] > high) high = values[index]
        }
        return if (low <= high) low to high else null
    }

    /** The different values, the lowest first. */
    fun levels(): List<Double> {
        val levels = sortedSetOf<Double>()
        var before = Double.NaN
        for (index in 0 until size) {
            val value = values[index]
            if (value != before && !value.isNaN()) levels.add(value)
            before = value
        }
        return levels.toList()
    }
}

/** One point of a line, before it has a place. */
data class Dot(val tNs: Long, val value: Double)

/**
 * Return the lines of a series, thinned to what [columns] columns of pixels can show.
 *
 * Of each column the first, the lowest, the highest and the last value stay, so that no peak is
 * lost. A line ends where the series has a gap; a line of one point is a value between two gaps.
 */
fun thinned(series: Series, endNs: Long, columns: Int): List<List<Dot>> {
    val lines = ArrayList<List<Dot>>()
    var line = ArrayList<Dot>()
    val column = Column(series)
    for (index in 0 until series.size) {
        val gap = series.values[index].isNaN()
        val at = (series.tNs[index].toDouble() / endNs * columns).toInt()
        if (gap || at != column.at) column.emptyInto(line)
        if (!gap) column.add(index, at)
        if (gap && line.isNotEmpty()) {
            lines.add(line)
            line = ArrayList()
        }
    }
    column.emptyInto(line)
    if (line.isNotEmpty()) lines.add(line)
    return lines
}

/** The samples that fall into one column of pixels. */
private class Column(private val series: Series) {
    var at = -1
        private set
    private var first = -1
    private var lowest = -1
    private var highest = -1
    private var last = -1

    fun add(index: Int, column: Int) {
        if (first < 0) {
            at = column
            first = index
            lowest = index
            highest = index
        }
        if (series.values[index] < series.values[lowest]) lowest = index
        if (series.values[index] > series.values[highest]) highest = index
        last = index
    }

    fun emptyInto(line: MutableList<Dot>) {
        if (first >= 0) {
            for (index in sortedSetOf(first, lowest, highest, last)) {
                line.add(Dot(series.tNs[index], series.values[index]))
            }
        }
        first = -1
        at = -1
    }
}

/** Return a series as steps: each value holds until the next one. */
fun stepped(series: Series, endNs: Long): Series {
    val tNs = ArrayList<Long>()
    val values = ArrayList<Double>()
    var before = Double.NaN
    for (index in 0 until series.size) {
        val value = series.values[index]
        if (value == before) continue
        if (!before.isNaN()) {
            tNs.add(series.tNs[index])
            values.add(before)
        }
        tNs.add(series.tNs[index])
        values.add(value)
        before = value
    }
    if (series.size > 0 && !before.isNaN()) {
        tNs.add(endNs)
        values.add(before)
    }
    return Series(tNs.toLongArray(), values.toDoubleArray())
}
