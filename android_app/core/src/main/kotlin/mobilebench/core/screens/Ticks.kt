package mobilebench.core.screens

import java.util.Locale
import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.log10
import kotlin.math.max
import kotlin.math.pow

/** A value on an axis, with what is written beside it. */
data class Tick(val value: Double, val label: String)

/** The part of a scale that an axis shows, with its ticks. */
data class Axis(val low: Double, val high: Double, val ticks: List<Tick>) {
    /** Return where a value lies, 0 at the low end and 1 at the high one. */
    fun share(value: Double): Double = (value - low) / (high - low)
}

private val STEPS = doubleArrayOf(1.0, 2.0, 5.0)
private val SECONDS =
    doubleArrayOf(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
private val MINUTES = doubleArrayOf(0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0)
private const val LEAST_SPREAD = 0.02

/**
 * Return an axis over the values from [low] to [high] with at most [most] ticks, two or more.
 *
 * Values on both sides of 0 have at least three.
 *
 * Steps are 1, 2 or 5 times a power of ten, and the axis ends on ticks.
 */
fun axisOver(low: Double, high: Double, most: Int): Axis {
    require(low.isFinite() && high.isFinite() && low <= high) { "from $low to $high is no range" }
    // Values that are nearly equal would spread over the whole height, and noise look like news.
    val least = max(abs(high) * LEAST_SPREAD, 1e-9)
    val middle = (low + high) / 2
    val from = if (high - low < least) middle - least / 2 else low
    val to = if (high - low < least) middle + least / 2 else high
    val allowed = max(most, if (from < 0 && to > 0) 3 else 2)
    var step = stepAbove((to - from) / max(most - 1, 1))
    while (ceil(to / step) - floor(from / step) + 1 > allowed) step = stepAbove(step * 1.01)
    val first = floor(from / step).toLong()
    val last = max(ceil(to / step).toLong(), first + 1)
    val ticks = (first..last).map { Tick(it * step, decimal(it * step, step)) }
    return Axis(ticks.first().value, ticks.last().value, ticks)
}

/** Return an axis that has the given values as its ticks, with some room around them. */
fun axisOf(values: List<Double>): Axis {
    val levels = values.distinct().sorted()
    val room = if (levels.size < 2) 0.5 else 0.15 * (levels.last() - levels.first())
    val ticks = levels.map { Tick(it, plain(it)) }
    return Axis(levels.first() - room, levels.last() + room, ticks)
}

/** An axis of time; its values are in [unit]s. */
data class TimeAxis(val unitNs: Double, val unit: TextKey, val ticks: List<Tick>)

/**
 * Return the ticks of a time axis from 0 to [endNs], with the least step that [fits].
 *
 * That is asked with ticks and the nanoseconds of their unit.
 */
fun timeAxis(endNs: Long, fits: (List<Tick>, Double) -> Boolean): TimeAxis {
    val inSeconds = endNs <= 120_000_000_000
    val unitNs = if (inSeconds) 1e9 else 60e9
    val unit = if (inSeconds) TextKey.TIME_IN_SECONDS else TextKey.TIME_IN_MINUTES
    val end = endNs / unitNs
    for (step in if (inSeconds) SECONDS else MINUTES) {
        if (end / step > 1000) continue
        val ticks = (0..floor(end / step + 1e-9).toInt()).map { Tick(it * step, plain(it * step)) }
        if (fits(ticks, unitNs)) return TimeAxis(unitNs, unit, ticks)
    }
    return TimeAxis(unitNs, unit, listOf(Tick(0.0, "0")))
}

private fun stepAbove(least: Double): Double {
    val power = 10.0.pow(floor(log10(least)))
    return STEPS.map { it * power }.firstOrNull { it >= least * (1 - 1e-9) } ?: (10 * power)
}

private fun decimal(value: Double, step: Double): String {
    val places = max(0, -floor(log10(step) + 1e-9).toInt())
    val text = String.format(Locale.ROOT, "%.${places}f", value)
    return if (text.trimStart('-').all { it == '0' || it == '.' }) text.trimStart('-') else text
}
