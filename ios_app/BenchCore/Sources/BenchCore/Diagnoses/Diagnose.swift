/// Return what makes a measurement doubtful.
public func diagnose(
    _ measurement: Measurement, _ benchProtocol: BenchProtocol, _ device: Device
) -> Judgement {
    let samples = atOneWidth(measurement.samples)
    let applying = ofTheDevice(measurement, device)
        .union(ofTheSamples(samples, measurement, benchProtocol))
    return Judgement(reasons: Diagnosis.allCases.filter(applying.contains))
}

/// Return what the device's own words show.
private func ofTheDevice(_ measurement: Measurement, _ device: Device) -> Set<Diagnosis> {
    let before = measurement.before
    let after = measurement.after
    let runtime = measurement.runtime
    let kinds = Set(measurement.events.map(\.kind))
    let away = absences(events: measurement.events, scheduling: measurement.scheduling)
    let charger = kinds.contains(.chargerConnected) || kinds.contains(.chargerRemoved)
    let applies: [Diagnosis: Bool] = [
        .outputsDiffer: differs(measurement),
        .otherUnit: runtime.computeUnitEvidence == .notSupported,
        .debugBuild: isForDebugging(measurement.application),
        .notInFront: !away.isEmpty,
        .stoppedEarly: measurement.stopped != nil,
        .cutOff: measurement.cutOff,
        .notGated: measurement.gates.contains { !$0.open && $0.start != nil },
        .clockCapped: kinds.contains(.clockCap),
        .backgroundLoad: (before.busyFraction ?? 0) > busyFraction,
        .moreThreadsThanCores: device.cores.map { runtime.threads > $0 } ?? false,
        .lowPowerMode: before.lowPowerMode == true || after.lowPowerMode == true,
        .memoryShort: kinds.contains(.memoryWarning),
        .chargerChanged: charger,
        .thermalStateChanged: before.thermal != after.thermal,
    ]
    return Set(applies.filter(\.value).keys)
}

/// Return what the latencies show.
private func ofTheSamples(
    _ samples: Samples, _ measurement: Measurement, _ benchProtocol: BenchProtocol
) -> Set<Diagnosis> {
    let latencies = doubles(latenciesNs(samples))
    let throttled = isThrottled(latencies, measurement.states, benchProtocol)
    let burstOnly = isBurstOnly(samples, benchProtocol)
    let applies: [Diagnosis: Bool] = [
        .tooFewSamples: latencies.count < leastSamples(benchProtocol),
        .timerTooCoarse: isCoarse(latencies),
        .throttled: throttled,
        .driftWithTemperature: drifts(samples, measurement.states),
        .burstNotSustained: burstOnly,
        .notConverged: hasNotConverged(samples, benchProtocol),
        .noisySamples: isNoisy(latencies),
        // One level after the other is not alternating.
        .bimodalLatency: !throttled && !burstOnly && isBimodal(latencies),
        .slowFirstRun: isFirstSlow(samples, latencies),
    ]
    return Set(applies.filter(\.value).keys)
}

/// Return the samples a protocol asks for; of frames at a pace, half of those that fit.
private func leastSamples(_ benchProtocol: BenchProtocol) -> Int {
    guard let intervalNs = benchProtocol.intervalNs else {
        return product(benchProtocol.rounds, benchProtocol.inferences)
    }
    return product(benchProtocol.rounds, benchProtocol.minDurationNs) / intervalNs / 2
}

/// Return a product; the largest number where it is larger, as a document may ask for.
private func product(_ one: Int, _ other: Int) -> Int {
    let (product, isLarger) = one.multipliedReportingOverflow(by: other)
    return isLarger ? .max : product
}

/// Return samples as if one width had computed them all.
///
/// A latency is scaled by the median of its width, so that what is left is the device's doing.
private func atOneWidth(_ samples: Samples) -> Samples {
    let places = Dictionary(grouping: samples.width.indices) { samples.width[$0] }
    guard places.count > 1, let widest = places.keys.max() else { return samples }
    let medians = places.mapValues { own in median(own.map { Double(samples.latencyNs[$0]) }) }
    var scaled = samples
    for at in samples.width.indices {
        let scale = medians[widest]! / medians[samples.width[at]]!
        let latency = (Double(samples.latencyNs[at]) * scale).rounded(.toNearestOrEven)
        scaled.latencyNs[at] = max(1, Int(latency))
    }
    return scaled
}

/// Return whether the unit that was timed computes something else than it should.
private func differs(_ measurement: Measurement) -> Bool {
    measurement.parity.contains {
        $0.unit == measurement.runtime.computeUnitRequested && !$0.passed
    }
}

/// Return whether the app, or the runtime inside it, was built for debugging.
private func isForDebugging(_ application: Application?) -> Bool {
    application?.build == .debug || application?.runtimeBuild == .debug
}

private func isFirstSlow(_ samples: Samples, _ measured: [Double]) -> Bool {
    guard samples.phase.first == .warmUp, !measured.isEmpty else { return false }
    return Double(samples.latencyNs[0]) > slowFirstRatio * median(measured)
}

/// Return whether a long run ends slower than it began, or gets too hot.
///
/// Only a run by window is long enough to heat the device. Too hot is a thermal state that the
/// operating system calls serious.
private func isThrottled(
    _ latencies: [Double], _ states: [DeviceState], _ benchProtocol: BenchProtocol
) -> Bool {
    if benchProtocol.windowNs == nil { return false }
    if states.contains(where: { $0.thermal.map { $0 >= .serious } ?? false }) { return true }
    return lastOverFirst(latencies, parts: 4) > throttledRatio
}

/// Return whether the device slows down within a round.
///
/// A longer round would then have another result.
private func isBurstOnly(_ samples: Samples, _ benchProtocol: BenchProtocol) -> Bool {
    if benchProtocol.windowNs != nil { return false }
    let slow = latenciesOfRounds(samples, rounds: benchProtocol.rounds).count {
        lastOverFirst(doubles($0), parts: 2) > burstRatio
    }
    return slow * 2 > benchProtocol.rounds
}

/// Return whether a round's warm-up ran into its limit instead of settling.
///
/// The time is counted as the engine's limit does: the sum of the latencies alone leaves out the
/// time between them.
private func hasNotConverged(_ samples: Samples, _ benchProtocol: BenchProtocol) -> Bool {
    if benchProtocol.warmUp.convergence == nil { return false }
    let rounds = placesOfRounds(samples, phase: .warmUp, rounds: benchProtocol.rounds)
    return rounds.contains { warmUp in
        let last = warmUp[warmUp.count - 1]
        let elapsed = samples.tNs[last] + samples.latencyNs[last] - samples.tNs[warmUp[0]]
        return elapsed >= benchProtocol.warmUp.maxDurationNs
    }
}

/// Share of all cores that was busy with other work just before the first load.
private let busyFraction = 0.25
private let slowFirstRatio = 10.0

/// The last quarter of a long run over its first.
private let throttledRatio = 1.15

/// The second half of a burst over its first: an iPhone 13 was seen to go from 0.55 to 1.2 ms after
/// tens of inferences (mlcommons/mobile_app_open, issue 472).
private let burstRatio = 1.2
