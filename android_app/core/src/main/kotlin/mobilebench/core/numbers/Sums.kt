package mobilebench.core.numbers

/**
 * Sum numbers from [begin] to before [end], in the order in which NumPy adds them.
 *
 * Eight running sums at a time, and halves of what is longer than 128: rounding errors grow with
 * the logarithm of the count, and both implementations have the same ones.
 */
internal fun sum(values: DoubleArray, begin: Int = 0, end: Int = values.size): Double {
    val count = end - begin
    if (count < 8) {
        var total = 0.0
        for (at in begin until end) total += values[at]
        return total
    }
    if (count > BLOCK) {
        val half = count / 2 - count / 2 % 8
        return sum(values, begin, begin + half) + sum(values, begin + half, end)
    }
    val part = values.copyOfRange(begin, begin + 8)
    var at = begin + 8
    while (at + 8 <= end) {
        for (lane in 0 until 8) part[lane] += values[at + lane]
        at += 8
    }
    var total = ((part[0] + part[1]) + (part[2] + part[3])) +
        ((part[4] + part[5]) + (part[6] + part[7]))
    while (at < end) total += values[at++]
    return total
}

/** Return the mean of at least one number. */
internal fun mean(values: DoubleArray, begin: Int = 0, end: Int = values.size): Double =
    sum(values, begin, end) / (end - begin)

internal fun doubles(values: LongArray): DoubleArray =
    DoubleArray(values.size) { values[it].toDouble() }

private const val BLOCK = 128
