package mobilebench.core.sensors

import kotlin.math.abs
import mobilebench.core.documents.CurrentUnit
import mobilebench.core.documents.Discharging
import mobilebench.core.documents.Power
import mobilebench.core.documents.PowerReading

/** What is known of the charge counter of a device. */
enum class Counter {
    /** Its steps are what level and capacity make of them. */
    AGREES,

    /** It moves only with the level: a percentage in other units. */
    PERCENTAGE,

    /** It moves otherwise than the level. */
    DISAGREES,

    /** Too little has changed to tell. */
    NOT_KNOWN,
}

/**
 * Keeps what the battery said over a run, and what of it can be believed.
 *
 * Nothing is scaled and no sign is turned: unit and sign of the current differ between devices, and
 * a guess looks like a measurement. Columns grow by one entry for each [add].
 */
class PowerLog {
    private val batteries = ArrayList<Battery>()
    private val timesNs = ArrayList<Long>()
    private var given = 0

    fun add(tNs: Long, battery: Battery) {
        timesNs.add(tNs)
        batteries.add(battery)
    }

    /** Return the readings since the last call, with what all of them show; null without any. */
    fun take(): Power? {
        if (given == batteries.size) return null
        val readings = (given until batteries.size).map { index ->
            batteries[index].let {
                PowerReading(timesNs[index], it.fraction, it.current, it.voltageMv, it.charging)
            }
        }
        given = batteries.size
        val trusted = when (counter) {
            Counter.AGREES -> true
            Counter.PERCENTAGE, Counter.DISAGREES -> false
            Counter.NOT_KNOWN -> null
        }
        return Power(readings, CurrentUnit.UNKNOWN, discharging, trusted, doubts())
    }

    /** The sign of the current that drains: known where all readings off the charger share it. */
    val discharging: Discharging
        get() {
            val drained = batteries.filter { it.plugged == false && it.charging == false }
                .mapNotNull { it.current }.filter { it != 0L }
            return when {
                drained.size < ENOUGH_OF_A_SIGN -> Discharging.UNKNOWN
                drained.all { it < 0 } -> Discharging.NEGATIVE
                drained.all { it > 0 } -> Discharging.POSITIVE
                else -> Discharging.UNKNOWN
            }
        }

    /** Whether the charge counter is one. */
    val counter: Counter
        get() {
            val pairs = batteries.mapNotNull { battery ->
                battery.fraction?.let { level -> battery.counter?.let { level to it } }
            }
            val counts = pairs.map { it.second }
            if (counts.isEmpty()) return Counter.NOT_KNOWN
            // A counter of whole per cent, or one that only moves when the level does.
            if (counts.all { it <= 100 }) return Counter.PERCENTAGE
            val steps = counts.zipWithNext().count { (one, next) -> one != next }
            if (steps < ENOUGH_STEPS) return Counter.NOT_KNOWN
            val within = pairs.zipWithNext().count { (one, next) ->
                one.first == next.first && one.second != next.second
            }
            if (within == 0) return Counter.PERCENTAGE
            return againstLevel(pairs.first(), pairs.last())
        }

    private fun againstLevel(first: Pair<Double, Long>, last: Pair<Double, Long>): Counter {
        val levels = last.first - first.first
        if (abs(levels) < LEAST_OF_THE_LEVEL || first.first <= 0) return Counter.NOT_KNOWN
        val capacity = first.second / first.first
        val ratio = (last.second - first.second) / (capacity * levels)
        return if (ratio in AGREEING) Counter.AGREES else Counter.DISAGREES
    }

    /** How often the current changed: a window of few updates holds no energy. */
    val updates: Int
        get() = batteries.mapNotNull { it.current }.zipWithNext()
            .count { (one, next) -> one != next }

    /** Why no energy can be computed from it, in clauses. */
    fun doubts(): List<String> = listOfNotNull(
        "the device gives no current".takeIf { batteries.all { it.current == null } },
        "a charger was connected".takeIf { batteries.any { it.plugged == true } },
        "it is not known whether a charger was connected"
            .takeIf { batteries.any { it.plugged == null } },
        "the unit of the current is not known",
        "the sign of the current is not known".takeIf { discharging == Discharging.UNKNOWN },
        "the current was updated $updates times, and $ENOUGH_UPDATES are needed"
            .takeIf { updates < ENOUGH_UPDATES },
        "the charge counter moves with the level, so it is a percentage"
            .takeIf { counter == Counter.PERCENTAGE },
        "the charge counter does not agree with the level".takeIf { counter == Counter.DISAGREES },
    )

    private companion object {
        const val ENOUGH_OF_A_SIGN = 5
        const val ENOUGH_STEPS = 5
        const val ENOUGH_UPDATES = 20
        const val LEAST_OF_THE_LEVEL = 0.03
        val AGREEING = 0.8..1.25
    }
}
