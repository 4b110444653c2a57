package mobilebench.core.sensors

import mobilebench.core.documents.ThermalState

/** Android's thermal statuses by their number, in the words of documents. */
private val STATUSES = listOf(
    ThermalState.NOMINAL,
    ThermalState.FAIR,
    ThermalState.FAIR,
    ThermalState.SERIOUS,
    ThermalState.CRITICAL,
    ThermalState.CRITICAL,
    ThermalState.CRITICAL,
)

/**
 * Tells the thermal state by Android's status.
 *
 * Android answers 0 (none) also where the thermal sensors of the device do not work at all. A 0
 * counts only once something has shown that they do: published thresholds, a headroom above 0, or
 * another status than 0.
 */
class ThermalStatus {
    /** Whether anything has shown that the sensors work. */
    var works = false
        private set

    /** Take thresholds by their status, as the system publishes them. */
    fun sawThresholds(thresholds: Map<Int, Float>) {
        if (thresholds.values.any { it.isFinite() && it > 0 }) works = true
    }

    fun sawHeadroom(headroom: Double) {
        if (headroom > 0) works = true
    }

    /** Return the state of a status; null is a system without one. */
    fun read(status: Int?): Reading<ThermalState> {
        val state = STATUSES.getOrNull(status ?: -1) ?: return Missing.ABSENT
        if (status != 0) works = true
        return if (works) Got(state) else Missing.NOT_READY
    }
}

/** A headroom with its age. */
data class Headroom(val value: Double, val ageNs: Long)

/**
 * Asks for the thermal headroom as seldom as the system answers.
 *
 * Android gives NaN to who asks more than about once a second, and to all on a device without it.
 * Between two questions the last value stays, with its age. NaN is never a value.
 */
class HeadroomReader(private val ask: (Int) -> Float) {
    private var askedNs: Long? = null
    private var gotNs = 0L
    private var last: Reading<Double> = Missing.ABSENT
    private var everFinite = false
    private var asked = 0

    /** Return the headroom now, asking only where a second has passed since the last question. */
    fun read(nowNs: Long): Reading<Headroom> {
        val since = askedNs?.let { nowNs - it }
        if (since == null || since >= LEAST_INTERVAL_NS) renew(nowNs)
        return last.map { Headroom(it, nowNs - gotNs) }
    }

    private fun renew(nowNs: Long) {
        askedNs = nowNs
        asked += 1
        val answer = ask(FORECAST_S)
        if (!answer.isFinite() || answer < 0 || answer > MOST) {
            val gone = asked >= GIVE_UP && !everFinite
            last = if (gone) Missing.ABSENT else Missing.NOT_READY
            return
        }
        // A device without the sensor may answer 0 for ever; a cold one answers 0 for a while.
        if (answer > 0) everFinite = true
        gotNs = nowNs
        last = if (everFinite) Got(answer.toDouble()) else Missing.NOT_READY
    }

    companion object {
        const val LEAST_INTERVAL_NS = 1_000_000_000L

        /** Seconds ahead: 0 is the present. The first answers hold no slope for a forecast. */
        private const val FORECAST_S = 0
        private const val GIVE_UP = 10
        private const val MOST = 10f
    }
}
