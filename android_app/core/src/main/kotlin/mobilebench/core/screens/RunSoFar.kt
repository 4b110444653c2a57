package mobilebench.core.screens

import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Event
import mobilebench.core.documents.Phase
import mobilebench.core.documents.Protocol
import mobilebench.core.documents.Samples
import mobilebench.core.documents.ThermalState
import mobilebench.core.engine.Part
import mobilebench.core.numbers.percentileOfOrdered

/** What a run has measured until now. Used by one thread alone. */
class RunSoFar(val protocol: Protocol) {
    private val warmUp = Values()
    private val measured = Values()
    private val widths = Values()
    private val temperature = Values()
    private val statesSoFar = ArrayList<DeviceState>()
    private val eventsSoFar = ArrayList<Event>()
    private var lastRound = -1
    private var lastPhase: Phase? = null
    private var roundBeganNs = 0L
    private var inRound = 0

    /** Samples that count. */
    var samples = 0
        private set

    /** Rounds that came to their end. */
    var roundsEnded = 0
        private set

    /** The end of the last inference, or the last reading. */
    var endNs = 0L
        private set

    /** The last inference's latency, measured or of a warm-up; null before the first. */
    var lastLatencyNs: Long? = null
        private set

    val states: List<DeviceState> get() = statesSoFar
    val events: List<Event> get() = eventsSoFar

    /** The round that runs now, from 0. */
    val round: Int get() = maxOf(lastRound, roundsEnded).coerceAtMost(protocol.rounds - 1)

    fun add(part: Part) {
        add(part.samples)
        part.states.forEach(::add)
        part.events.forEach(::add)
        part.roundEnded?.let { roundsEnded = maxOf(roundsEnded, it + 1) }
    }

    fun add(samples: Samples) {
        for (index in 0 until samples.size) {
            val tNs = samples.tNs[index]
            val phase = samples.phase[index]
            if (samples.round[index] != lastRound || phase != lastPhase) begin(samples, index)
            val column = if (phase == Phase.MEASURED) measured else warmUp
            column.add(tNs, samples.latencyNs[index] / 1e6)
            if (samples.width.isNotEmpty()) widths.add(tNs, samples.width[index])
            if (phase == Phase.MEASURED) {
                this.samples += 1
                inRound += 1
            }
            lastLatencyNs = samples.latencyNs[index]
            endNs = maxOf(endNs, tNs + samples.latencyNs[index])
        }
    }

    fun add(state: DeviceState) {
        statesSoFar.add(state)
        temperature.add(state.tNs, shown(state) ?: Double.NaN)
        endNs = maxOf(endNs, state.tNs)
    }

    fun add(event: Event) {
        eventsSoFar.add(event)
    }

    /** The share of the protocol that is done, 0 to 1; a round in progress counts by its time. */
    fun share(): Double {
        val byTime = protocol.minDurationNs.takeIf { it > 0 }
            ?.let { (endNs - roundBeganNs).toDouble() / it }
        val byCount = inRound.toDouble() / protocol.inferences
        val within = if (inRound == 0) 0.0 else minOf(byTime ?: 1.0, byCount, 1.0)
        val ended = if (lastRound >= roundsEnded) roundsEnded + within else roundsEnded.toDouble()
        return (ended / protocol.rounds).coerceIn(0.0, 1.0)
    }

    /** Median and 90th percentile of what counts so far, in nanoseconds; null before the first. */
    fun percentiles(): Pair<Double, Double>? {
        val sorted = measured.finite().also { it.sort() }
        if (sorted.isEmpty()) return null
        return percentileOfOrdered(sorted, 50.0) * 1e6 to percentileOfOrdered(sorted, 90.0) * 1e6
    }

    val latencyOfWarmUp: Series get() = warmUp.series
    val latency: Series get() = measured.series
    val width: Series get() = widths.series
    val temperatureC: Series get() = temperature.series

    /** Spans of time by the thermal state that was read at their beginning, but for nominal. */
    fun thermalBands(label: (ThermalState) -> String): List<Band> =
        states.mapIndexedNotNull { index, state ->
            val untilNs = states.getOrNull(index + 1)?.tNs ?: endNs
            state.thermal?.let { band(it, state.tNs, untilNs, label(it)) }
        }.joined()

    private fun band(thermal: ThermalState, fromNs: Long, untilNs: Long, label: String): Band? =
        when (thermal) {
            ThermalState.NOMINAL -> null
            ThermalState.FAIR -> Band(fromNs, untilNs, Role.FAIR, label)
            ThermalState.SERIOUS -> Band(fromNs, untilNs, Role.SERIOUS, label)
            ThermalState.CRITICAL -> Band(fromNs, untilNs, Role.CRITICAL, label)
        }

    private fun begin(samples: Samples, index: Int) {
        val tNs = samples.tNs[index]
        // Between two rounds the model rests: no line joins them.
        if (samples.round[index] != lastRound) {
            warmUp.gap(tNs)
            measured.gap(tNs)
        }
        lastRound = samples.round[index]
        lastPhase = samples.phase[index]
        roundBeganNs = tNs
        inRound = 0
    }
}

/** The sensor that a chart shows: the battery where there is one, else the warmest. */
internal fun shown(state: DeviceState): Double? {
    val temperatures = state.temperaturesC ?: return null
    return temperatures["battery"] ?: temperatures.values.maxOrNull()
}

private fun List<Band>.joined(): List<Band> = fold(ArrayList<Band>()) { bands, band ->
    val last = bands.lastOrNull()
    if (last != null && last.toNs == band.fromNs && last.role == band.role) {
        bands[bands.size - 1] = Band(last.fromNs, band.toNs, band.role, band.label)
    } else {
        bands.add(band)
    }
    bands
}

/** A series that grows. */
private class Values {
    private var tNs = LongArray(256)
    private var values = DoubleArray(256)
    private var size = 0

    val series: Series get() = Series(tNs, values, size)

    fun add(tNs: Long, value: Double) {
        if (size == this.tNs.size) {
            this.tNs = this.tNs.copyOf(2 * size)
            values = values.copyOf(2 * size)
        }
        this.tNs[size] = tNs
        values[size] = value
        size += 1
    }

    fun gap(tNs: Long) {
        if (size > 0) add(tNs, Double.NaN)
    }

    fun finite(): DoubleArray {
        val kept = DoubleArray(size)
        var count = 0
        for (index in 0 until size) if (!values[index].isNaN()) kept[count++] = values[index]
        return kept.copyOf(count)
    }
}
