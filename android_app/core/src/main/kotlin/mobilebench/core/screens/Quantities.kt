package mobilebench.core.screens

import java.util.Locale
import kotlin.math.abs
import kotlin.math.floor
import kotlin.math.log10
import kotlin.math.max

private class Unit(val name: String, val size: Double)

private val DURATIONS =
    listOf(Unit("ns", 1.0), Unit("µs", 1e3), Unit("ms", 1e6), Unit("s", 1e9), Unit("min", 60e9))
private val SIZES =
    listOf(Unit("bytes", 1.0), Unit("kB", 1e3), Unit("MB", 1e6), Unit("GB", 1e9), Unit("TB", 1e12))
private const val DIGITS = 3
private const val LONGEST_IN_SECONDS_NS = 120e9

/** Write a duration, such as `350 ns`, `11.2 ms` or `90.0 s`; from two minutes, `2.00 min`. */
fun duration(ns: Double): String {
    val seconds = abs(rounded(ns)) < LONGEST_IN_SECONDS_NS
    return written(ns, if (seconds) DURATIONS.dropLast(1) else DURATIONS)
}

fun duration(ns: Long): String = duration(ns.toDouble())

/** Write a number of bytes, such as `350 bytes`, `1.49 MB` or `2.10 GB` (powers of 1000). */
fun size(bytes: Long): String = written(bytes.toDouble(), SIZES)

/** Write a share as per cent without decimals. */
fun percent(share: Double): String = String.format(Locale.ROOT, "%.0f %%", 100 * share)

/** Write a temperature, such as `36.5 °C`. */
fun celsius(temperature: Double): String = String.format(Locale.ROOT, "%.1f °C", temperature)

/** Write a number without zeros at its end, such as `0.5`, `1` or `0.75`. */
fun plain(number: Double): String {
    val text = String.format(Locale.ROOT, "%.3f", number).trimEnd('0').trimEnd('.')
    return if (text == "-0") "0" else text
}

private fun written(number: Double, units: List<Unit>): String {
    if (!number.isFinite()) return "$number ${units[0].name}"
    // Rounded first: 999.6 ns is 1.00 µs, not 1000 ns.
    val fitting = rounded(number)
    val unit = units.lastOrNull { abs(fitting) >= it.size } ?: units[0]
    return "${digits(rounded(number / unit.size), unit.size == 1.0)} ${unit.name}"
}

private fun rounded(number: Double): Double =
    if (number.isFinite()) String.format(Locale.ROOT, "%.${DIGITS - 1}e", number).toDouble()
    else number

private fun digits(number: Double, whole: Boolean): String {
    if (whole && number == floor(number)) return number.toLong().toString()
    val before = if (number == 0.0) 1 else floor(log10(abs(number))).toInt() + 1
    return String.format(Locale.ROOT, "%.${max(0, DIGITS - before)}f", number)
}
