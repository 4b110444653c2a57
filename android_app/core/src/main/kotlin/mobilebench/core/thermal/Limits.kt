package mobilebench.core.thermal

import mobilebench.core.documents.Aim

/**
 * How far a device is beyond the limits on heat that an aim states.
 *
 *     excess = the largest of: temperature - limit, 30 x (headroom - limit), state, cap, energy
 *
 * It is in degrees, or something like degrees: 0 at the limit, more beyond it. A state or a cap is
 * beyond by one, at the limit, or far below it, since it has no finer steps. NaN where no limited
 * quantity is known.
 */
internal fun excess(aim: Aim, reading: Reading, capped: Boolean): Double {
    var most = Double.NaN
    if (aim.skinC != null) most = larger(most, reading.skinC - aim.skinC)
    if (aim.batteryC != null) most = larger(most, reading.batteryC - aim.batteryC)
    if (aim.headroom != null) {
        most = larger(most, DEGREES_OF_HEADROOM * (reading.headroom - aim.headroom))
    }
    if (aim.warmest != null) {
        val steps = reading.state - aim.warmest.ordinal
        most = larger(most, if (steps < 0) FAR else steps)
    }
    if (aim.energyMj != null && aim.energyMj != 0.0) {
        most = larger(most, DEGREES_OF_ENERGY * (reading.energyMj / aim.energyMj - 1))
    }
    if (aim.uncapped) most = larger(most, if (capped) 1.0 else FAR)
    return most
}

/** Return whether an aim says anything about heat. */
internal fun hasLimit(aim: Aim): Boolean =
    aim.uncapped || aim.warmest != null || aim.headroom != null || aim.skinC != null ||
        aim.batteryC != null || aim.energyMj != null

/** What says how warm a device is, the best first. Degrees of different sources do not compare. */
internal enum class HeatSource { SKIN, HEADROOM, BATTERY }

/** Return the best source that a reading has; null where it has no source. */
internal fun heatSource(reading: Reading): HeatSource? = when {
    !reading.skinC.isNaN() -> HeatSource.SKIN
    !reading.headroom.isNaN() -> HeatSource.HEADROOM
    !reading.batteryC.isNaN() -> HeatSource.BATTERY
    else -> null
}

/** Return the degrees of a reading by a source that it has. */
internal fun warmthC(reading: Reading, source: HeatSource): Double = when (source) {
    HeatSource.SKIN -> reading.skinC
    HeatSource.HEADROOM -> DEGREES_OF_HEADROOM * reading.headroom
    HeatSource.BATTERY -> reading.batteryC
}

/** Return the larger number; NaN is no number, and the other one is returned. */
internal fun larger(one: Double, other: Double): Double =
    if (one.isNaN() || other > one) other else one

/** Android defines the headroom so that 30 degrees below severe throttling are 0. */
private const val DEGREES_OF_HEADROOM = 30.0
private const val DEGREES_OF_ENERGY = 10.0
private const val FAR = -10.0
