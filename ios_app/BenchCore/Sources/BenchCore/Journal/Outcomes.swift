extension Journal {
    /// Put a journal together as the outcome of its job.
    ///
    /// Without an end it is cut off. Where a process went on for another one, the round that had
    /// not ended counts only as the later one measured it. Throws `DocumentRefused` where lines
    /// contradict each other.
    public func outcome(_ benchProtocol: BenchProtocol) throws -> Outcome {
        if let failure = end?.failure { return .failure(failure) }
        var joined = JoinedLines()
        for (number, line) in lines.enumerated() { joined.add(line, isFirst: number == 0) }
        let samples = joined.samples
        if !samples.phase.contains(.measured) { return .failure(nothing) }
        do {
            let measurement = try measurement(samples, joined, benchProtocol)
            try requireConsistent(measurement)
            return .measurement(measurement)
        } catch let error as Mismatch {
            throw DocumentRefused(
                "The lines of the journal contradict each other: \(error.described)."
            )
        }
    }

    private func measurement(
        _ samples: Samples, _ joined: JoinedLines, _ benchProtocol: BenchProtocol
    ) throws -> Measurement {
        let states = lines.flatMap(\.states)
        let placement = lines.lazy.compactMap(\.placement).first
        let timings = lines.flatMap(\.unitTimings)
        let (first, last) = (starts.first!, starts.last!)
        return Measurement(
            runtime: judged(last.runtime, samples, placement, timings),
            samples: samples,
            loads: try sorted(lines.flatMap(\.loads)),
            memory: Memory(
                peakBytes: lines.compactMap(\.peakBytes).max()!,
                beforeLoadBytes: first.beforeLoadBytes
            ),
            before: first.before,
            after: end?.after ?? states.last ?? last.before,
            gates: benchProtocol.gate != nil ? joined.gates : [],
            states: states,
            events: joined.events,
            power: power(lines.compactMap(\.power)),
            scheduling: lines.flatMap(\.scheduling),
            application: last.application,
            parity: lastOfEachUnit(lines.flatMap(\.parity)),
            placement: placement,
            unitTimings: timings,
            stopped: end?.stopped,
            cutOff: end == nil
        )
    }

    /// Why nothing was measured.
    private var nothing: Failure {
        if let stopped = end?.stopped {
            let limit = "the limit of \(stopped.word) of the job was reached"
            return Failure(
                stage: .run, error: "Stopped", message: "\(limit) before the first measured sample"
            )
        }
        let left = remark.map { "; \($0)" } ?? ""
        return Failure(
            stage: .run,
            error: "CutOff",
            message: "the process ended before the first measured sample\(left)"
        )
    }
}

/// Each line by itself has been checked; what is left is their order.
private func requireConsistent(_ measurement: Measurement) throws {
    try requireOrder(measurement.samples.tNs, "samples")
    try requireOrder(measurement.states.map(\.tNs), "states")
    try requireOrder(measurement.events.map(\.tNs), "events")
    try requireOrder(measurement.scheduling.map(\.tNs), "scheduling")
}

/// Judge where the model ran, which a device that begins to measure cannot know yet.
private func judged(
    _ runtime: RuntimeInfo, _ samples: Samples, _ placement: [PlacedOperation]?,
    _ timings: [UnitTiming]
) -> RuntimeInfo {
    if placement == nil, timings.isEmpty { return runtime }
    var judged = runtime
    judged.computeUnitEvidence = judgeUnit(
        runtime.computeUnitRequested,
        p50Ns: percentile(latenciesNs(samples), 50),
        placement: placement,
        timings: timings
    )
    return judged
}

/// A process that goes on checks again; the last check of a unit counts.
private func lastOfEachUnit(_ checks: [UnitParity]) -> [UnitParity] {
    var kept: [UnitParity] = []
    for check in checks {
        if let place = kept.firstIndex(where: { $0.unit == check.unit }) {
            kept[place] = check
        } else {
            kept.append(check)
        }
    }
    return kept
}

/// Joins samples, gates and events, without what a later process measured again.
private struct JoinedLines {
    private var parts: [Samples] = []
    private(set) var gates: [GateLog] = []
    private(set) var events: [Event] = []

    mutating func add(_ line: Line, isFirst: Bool) {
        if let start = line.start, !isFirst { resume(start) }
        if let samples = line.samples { parts.append(samples) }
        gates += line.gates
        events += line.events
    }

    private mutating func resume(_ start: Start) {
        parts = parts.map { $0.before(round: start.round) }
        gates = Array(gates.prefix(start.round))
        events.append(Event(tNs: start.tNs, kind: .resumed))
    }

    var samples: Samples {
        let hasWidths = parts.contains { !$0.width.isEmpty }
        return Samples(
            tNs: parts.flatMap(\.tNs),
            latencyNs: parts.flatMap(\.latencyNs),
            phase: parts.flatMap(\.phase),
            round: parts.flatMap(\.round),
            width: parts.flatMap { $0.widths(hasWidths) }
        )
    }
}

extension Samples {
    /// Return the samples of the rounds before one.
    fileprivate func before(round first: Int) -> Samples {
        let count = round.count { $0 < first }
        return Samples(
            tNs: Array(tNs.prefix(count)),
            latencyNs: Array(latencyNs.prefix(count)),
            phase: Array(phase.prefix(count)),
            round: Array(round.prefix(count)),
            width: Array(width.prefix(count))
        )
    }

    /// Return the widths; samples without them are of the full network where others have some.
    fileprivate func widths(_ othersHave: Bool) -> [Double] {
        width.isEmpty && othersHave ? Array(repeating: 1, count: count) : width
    }
}

/// Sort loads by their kind; a later process's first load is a cold one.
private func sorted(_ loads: [Load]) throws -> Loads {
    func of(_ kind: LoadKind) -> [Int] { loads.filter { $0.kind == kind }.map(\.ns) }
    let ever = of(.firstEver)
    let fresh = of(.first).isEmpty ? ever : of(.first)
    guard let first = fresh.first else {
        throw Mismatch("there are samples, and no load that was the first of its process")
    }
    return Loads(
        firstNs: first,
        warmNs: of(.warm),
        firstEverNs: ever.first,
        coldNs: fresh.dropFirst() + of(.cold)
    )
}

/// Join readings of the battery; what is known of the counter is what the last part says.
private func power(_ parts: [Power]) -> Power? {
    var joined = parts.last
    joined?.readings = parts.flatMap(\.readings)
    return joined
}
