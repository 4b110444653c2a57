package mobilebench.core.thermal

import mobilebench.core.documents.ThermalState

/** The latency of an observation that is a reading without a frame. */
const val NO_FRAME = -1L

/** Stands for a time that has not come yet. */
internal const val NEVER = Long.MIN_VALUE

internal const val SECOND_NS = 1_000_000_000L
internal const val HOUR_NS = 3600.0 * SECOND_NS

/** One width of a network: what it costs at the fastest clock, and what it gives. */
data class WidthCost(
    /** As a share of the channels of the full network. */
    val width: Double,
    /** Median latency at the fastest clock, on a cool device. */
    val coolNs: Long,
    /** In per cent. */
    val top1: Double,
)

/**
 * What the sensors of a device say at one moment; what cannot be read is null.
 *
 * A number that is not finite counts as not readable, since Android gives NaN for a lack. It is
 * NaN in the properties, so that a controller compares numbers without boxes.
 */
class Reading(
    state: ThermalState? = null,
    headroom: Double? = null,
    skinC: Double? = null,
    batteryC: Double? = null,
    cap: Double? = null,
    busy: Double? = null,
    energyMj: Double? = null,
) {
    /** The level of the thermal state: 0 is nominal. */
    val state: Double = state?.ordinal?.toDouble() ?: Double.NaN

    /** Android's forecast: at 1 the system throttles severely. */
    val headroom: Double = finite(headroom)
    val skinC: Double = finite(skinC)
    val batteryC: Double = finite(batteryC)

    /** Highest clock that the system allows now, as a share of the highest ever. */
    val cap: Double = finite(cap)

    /** Share of the time that the unit computed, since the reading before. */
    val busy: Double = finite(busy)

    /** Energy of a frame since the reading before, in millijoules. */
    val energyMj: Double = finite(energyMj)

    /** Return the numbers that are there, by their names in decisions. */
    fun known(): Map<String, Double> {
        val numbers = LinkedHashMap<String, Double>()
        fun put(name: String, number: Double) {
            if (!number.isNaN()) numbers[name] = number
        }
        put("state", state)
        put("headroom", headroom)
        put("skin_c", skinC)
        put("battery_c", batteryC)
        put("cap", cap)
        put("busy", busy)
        put("energy_mj", energyMj)
        return numbers
    }

    private fun finite(number: Double?): Double =
        if (number != null && number.isFinite()) number else Double.NaN
}

/** Why a controller chose a width. */
enum class Reason(val word: String) {
    /** Nothing changed. */
    HOLD("hold"),

    /** The width before gives fewer accurate frames in time than this one, at the clock seen. */
    LATE("late"),

    /** A wider network has been in reach for long enough. */
    ROOM("room"),

    /** A wider network is tried, since the clock at this load says little about it. */
    PROBE("probe"),

    /** A limit on heat is passed, or soon will be. */
    HEAT("heat"),

    /** The device has been well below the limit for long enough. */
    COOLED("cooled"),

    /** The clock was capped, and the aim is that it is not. */
    CAPPED("capped"),

    /** Even the narrowest network does not keep the limit, so the deadline alone counts now. */
    GAVE_UP("gave up"),

    /** The limit counts again, some time after the controller gave up. */
    TRIES_AGAIN("tries again"),
}

/** Decides after every observation; a pure state machine that holds what it has seen. */
interface Controller {
    /**
     * Return the index of the width to use from now on.
     *
     * Observations come in the order of their time [tNs]. A frame was computed by the width at
     * [index] in [latencyNs], which is [NO_FRAME] where no frame ended; [reading] is null where the
     * sensors were not read. Allocates nothing.
     */
    fun decide(tNs: Long, index: Int, latencyNs: Long, reading: Reading?): Int

    /** Why the last call of [decide] chose its width. */
    val reason: Reason

    /**
     * The numbers that it was decided by, with units in their names; empty where it held.
     *
     * They are put together when they are asked for.
     */
    val inputs: Map<String, Double>
}
