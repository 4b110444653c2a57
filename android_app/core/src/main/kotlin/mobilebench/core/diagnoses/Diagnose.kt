package mobilebench.core.diagnoses

import mobilebench.core.documents.Application
import mobilebench.core.documents.Build
import mobilebench.core.documents.Device
import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.EventKind
import mobilebench.core.documents.Measurement
import mobilebench.core.documents.Phase
import mobilebench.core.documents.Protocol
import mobilebench.core.documents.Samples
import mobilebench.core.documents.ThermalState
import mobilebench.core.documents.UnitEvidence
import mobilebench.core.numbers.doubles
import mobilebench.core.numbers.latenciesNs
import mobilebench.core.numbers.median
import mobilebench.core.numbers.places

/** Return what makes a measurement doubtful. */
fun diagnose(measurement: Measurement, protocol: Protocol, device: Device): Judgement {
    val samples = atOneWidth(measurement.samples)
    val applying = ofTheDevice(measurement, device) + ofTheSamples(samples, measurement, protocol)
    return Judgement(Diagnosis.values().filter { it in applying })
}

/** Return what the device's own words show. */
private fun ofTheDevice(measurement: Measurement, device: Device): Set<Diagnosis> {
    val before = measurement.before
    val after = measurement.after
    val kinds = measurement.events.mapTo(HashSet()) { it.kind }
    val evidence = measurement.runtime.computeUnitEvidence
    val applies = mapOf(
        Diagnosis.OUTPUTS_DIFFER to differs(measurement),
        Diagnosis.OTHER_UNIT to (evidence == UnitEvidence.NOT_SUPPORTED),
        Diagnosis.DEBUG_BUILD to isForDebugging(measurement.application),
        Diagnosis.NOT_IN_FRONT to
            absences(measurement.events, measurement.scheduling).isNotEmpty(),
        Diagnosis.STOPPED_EARLY to (measurement.stopped != null),
        Diagnosis.CUT_OFF to measurement.cutOff,
        Diagnosis.NOT_GATED to measurement.gates.any { !it.open && it.start != null },
        Diagnosis.CLOCK_CAPPED to (EventKind.CLOCK_CAP in kinds),
        Diagnosis.BACKGROUND_LOAD to ((before.busyFraction ?: 0.0) > BUSY_FRACTION),
        Diagnosis.MORE_THREADS_THAN_CORES to
            (device.cores != null && measurement.runtime.threads > device.cores),
        Diagnosis.LOW_POWER_MODE to (before.lowPowerMode == true || after.lowPowerMode == true),
        Diagnosis.MEMORY_SHORT to (EventKind.MEMORY_WARNING in kinds),
        Diagnosis.CHARGER_CHANGED to
            (EventKind.CHARGER_CONNECTED in kinds || EventKind.CHARGER_REMOVED in kinds),
        Diagnosis.THERMAL_STATE_CHANGED to (before.thermal != after.thermal),
    )
    return applies.filterValues { it }.keys
}

/** Return what the latencies show. */
private fun ofTheSamples(
    samples: Samples,
    measurement: Measurement,
    protocol: Protocol,
): Set<Diagnosis> {
    val latencies = doubles(latenciesNs(samples))
    val isThrottled = isThrottled(latencies, measurement.states, protocol)
    val isBurstOnly = isBurstOnly(samples, protocol)
    val applies = mapOf(
        Diagnosis.TOO_FEW_SAMPLES to (latencies.size < leastSamples(protocol)),
        Diagnosis.TIMER_TOO_COARSE to isCoarse(latencies),
        Diagnosis.THROTTLED to isThrottled,
        Diagnosis.DRIFT_WITH_TEMPERATURE to drifts(samples, measurement.states),
        Diagnosis.BURST_NOT_SUSTAINED to isBurstOnly,
        Diagnosis.NOT_CONVERGED to hasNotConverged(samples, protocol),
        Diagnosis.NOISY_SAMPLES to isNoisy(latencies),
        // One level after the other is not alternating.
        Diagnosis.BIMODAL_LATENCY to (!isThrottled && !isBurstOnly && isBimodal(latencies)),
        Diagnosis.SLOW_FIRST_RUN to isFirstSlow(samples, latencies),
    )
    return applies.filterValues { it }.keys
}

/** Return the samples a protocol asks for; of frames at a pace, half of those that fit. */
private fun leastSamples(protocol: Protocol): Long {
    val interval = protocol.intervalNs ?: return protocol.rounds.toLong() * protocol.inferences
    return protocol.rounds * protocol.minDurationNs / interval / 2
}

/**
 * Return samples as if one width had computed them all.
 *
 * A latency is scaled by the median of its width, so that what is left is the device's doing.
 */
private fun atOneWidth(samples: Samples): Samples {
    val widths = samples.width.distinct()
    if (widths.size < 2) return samples
    val medians = widths.associateWith { width ->
        val own = samples.width.indices.filter { samples.width[it] == width }
        median(DoubleArray(own.size) { samples.latencyNs[own[it]].toDouble() })
    }
    val widestNs = medians.getValue(widths.maxOf { it })
    val scaled = LongArray(samples.size) { at ->
        val scale = widestNs / medians.getValue(samples.width[at])
        maxOf(1, Math.rint(samples.latencyNs[at] * scale).toLong())
    }
    return Samples(samples.tNs, scaled, samples.phase, samples.round, samples.width)
}

/** Return whether the unit that was timed computes something else than it should. */
private fun differs(measurement: Measurement): Boolean =
    measurement.parity.any { it.unit == measurement.runtime.computeUnitRequested && !it.passed }

/** Return whether the app, or the runtime inside it, was built for debugging. */
private fun isForDebugging(application: Application?): Boolean =
    application != null &&
        (application.build == Build.DEBUG || application.runtimeBuild == Build.DEBUG)

private fun isFirstSlow(samples: Samples, measured: DoubleArray): Boolean {
    val begins = samples.size > 0 && samples.phase[0] == Phase.WARM_UP
    return begins && measured.isNotEmpty() &&
        samples.latencyNs[0] > SLOW_FIRST_RATIO * median(measured)
}

/**
 * Return whether a long run ends slower than it began, or gets too hot.
 *
 * Only a run by window is long enough to heat the device. Too hot is a thermal state that the
 * operating system calls serious.
 */
private fun isThrottled(
    latencies: DoubleArray,
    states: List<DeviceState>,
    protocol: Protocol,
): Boolean {
    if (protocol.windowNs == null) return false
    if (states.any { it.thermal != null && it.thermal >= ThermalState.SERIOUS }) return true
    return lastOverFirst(latencies, 4) > THROTTLED_RATIO
}

/**
 * Return whether the device slows down within a round.
 *
 * A longer round would then have another result.
 */
private fun isBurstOnly(samples: Samples, protocol: Protocol): Boolean {
    if (protocol.windowNs != null) return false
    val slow = (0 until protocol.rounds).count { round ->
        lastOverFirst(doubles(latenciesNs(samples, round = round)), 2) > BURST_RATIO
    }
    return slow * 2 > protocol.rounds
}

/**
 * Return whether a round's warm-up ran into its limit instead of settling.
 *
 * The time is counted as the engine's limit does: the sum of the latencies alone leaves out the
 * time between them.
 */
private fun hasNotConverged(samples: Samples, protocol: Protocol): Boolean {
    if (protocol.warmUp.convergence == null) return false
    return (0 until protocol.rounds).any { round ->
        val warmUp = places(samples, Phase.WARM_UP, round)
        warmUp.isNotEmpty() && samples.tNs[warmUp.last()] + samples.latencyNs[warmUp.last()] -
            samples.tNs[warmUp.first()] >= protocol.warmUp.maxDurationNs
    }
}

/** Share of all cores that was busy with other work just before the first load. */
private const val BUSY_FRACTION = 0.25
private const val SLOW_FIRST_RATIO = 10.0

/** The last quarter of a long run over its first. */
private const val THROTTLED_RATIO = 1.15

/**
 * The second half of a burst over its first: an iPhone 13 was seen to go from 0.55 to 1.2 ms after
 * tens of inferences (mlcommons/mobile_app_open, issue 472).
 */
private const val BURST_RATIO = 1.2
