package mobilebench.core.json

import java.math.BigDecimal
import java.math.MathContext
import java.math.RoundingMode

private const val SURE_DIGITS = 15
private const val MOST_DIGITS = 17
private const val MOST_WHOLE = 21
private const val LEAST_PLAIN = -7

/**
 * Return a number as ECMAScript writes it: the fewest digits that are read as this number again.
 *
 * Of several such, the closest. The `toString` of the JVM before 19, and that of Android, write
 * more digits for some. Throws [IllegalArgumentException] for NaN and infinities.
 */
fun ecmaScript(value: Double): String {
    require(!value.isNaN() && !value.isInfinite()) { "$value is not a number that JSON has" }
    if (value == 0.0) return "0"
    val shortest = shortest(Math.abs(value)).stripTrailingZeros()
    val sign = if (value < 0) "-" else ""
    val digits = shortest.unscaledValue().toString()
    return sign + written(digits, digits.length - 1 - shortest.scale())
}

private fun shortest(value: Double): BigDecimal {
    val exact = BigDecimal(value)
    // A number with 15 digits is the only one of 15 that is read as this double, if it is normal.
    val first = if (value >= java.lang.Double.MIN_NORMAL) SURE_DIGITS else 1
    for (count in first until MOST_DIGITS) closest(exact, value, count)?.let { return it }
    return exact.round(MathContext(MOST_DIGITS, RoundingMode.HALF_EVEN))
}

/** Return the number of so many digits that is read as [value], the closest one; null for none. */
private fun closest(exact: BigDecimal, value: Double, count: Int): BigDecimal? {
    val below = exact.round(MathContext(count, RoundingMode.DOWN))
    val above = exact.round(MathContext(count, RoundingMode.UP))
    // Below a power of two doubles are closer, so the closer one may be another double.
    val read = listOf(below, above).filter { it.toString().toDouble() == value }
    if (read.size < 2) return read.firstOrNull()
    return exact.round(MathContext(count, RoundingMode.HALF_EVEN))
}

/** Write digits whose first one stands for tens to the [power]. */
private fun written(digits: String, power: Int): String = when {
    power in LEAST_PLAIN + 1..-1 -> "0." + "0".repeat(-power - 1) + digits
    power in 0 until MOST_WHOLE && digits.length <= power + 1 -> digits.padEnd(power + 1, '0')
    power in 0 until MOST_WHOLE -> digits.take(power + 1) + "." + digits.drop(power + 1)
    else -> {
        val fraction = if (digits.length > 1) "." + digits.drop(1) else ""
        digits.take(1) + fraction + "e" + (if (power > 0) "+" else "") + power
    }
}
