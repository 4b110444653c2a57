/// Run the rounds of a protocol, and give what was measured away in parts.
///
/// `load` loads the model and returns its inference call. What the model throws ends the run, after
/// a last part. Throws `ClockFailed` where the clock stands still or goes backwards, and
/// `KeptNothing` where a failed run cannot give its last part away. Between two inferences nothing
/// is allocated, except for a reading, a part, a shift of the width, and a baseline.
public func runProtocol(
    _ benchProtocol: BenchProtocol,
    load: @escaping () throws -> Infer,
    instruments: any Instruments,
    course: Course = Course()
) throws -> Ending {
    try Run(benchProtocol, load, instruments, course).run()
}

/// One run of a protocol, with what came since the last part. Times are of its own clock.
private final class Run {
    private let benchProtocol: BenchProtocol
    private let load: () throws -> Infer
    private let instruments: any Instruments
    private let course: Course
    private let several: Several?
    private let longestNs: Int
    private let originNs: Int
    private var columns: Columns
    private var baseline = ContiguousArray(repeating: 0, count: baselineInferences)
    private var loadNs: [Int] = []
    private var gates: [GateLog] = []
    private var states: [DeviceState] = []
    private var lastNs: Int
    private var keptNs: Int
    private var isKeeping = false
    private var index = 0
    private var width: Double

    init(
        _ benchProtocol: BenchProtocol, _ load: @escaping () throws -> Infer,
        _ instruments: any Instruments, _ course: Course
    ) {
        self.benchProtocol = benchProtocol
        self.load = load
        self.instruments = instruments
        self.course = course
        several = course.several
        let widths = course.several?.widths
        let room = roomFor(benchProtocol, widths: widths?.count ?? 0, everyNs: course.everyNs)
        columns = Columns(room: room, hasWidths: widths != nil)
        longestNs = course.limits.timeNs ?? .max
        originNs = instruments.nowNs() &- course.tNs
        lastNs = course.tNs
        keptNs = course.tNs
        width = widths?.first ?? 1
    }

    func run() throws -> Ending {
        // Any thread asks this clock, so it does not go through `now`.
        course.events.begin { [instruments, originNs] in instruments.nowNs() &- originNs }
        do {
            for round in course.firstRound..<max(benchProtocol.rounds, course.firstRound) {
                try freeing { try wholeRound(round) }
            }
            return Ending()
        } catch let reached as EndReached {
            try keep()
            return reached.ending
        } catch {
            if !isKeeping { try keep(after: error) }
            throw error
        }
    }

    private func wholeRound(_ round: Int) throws {
        try rest()
        try course.beforeLoad()
        let started = try now()
        let infer = try load()
        let loaded = try now()
        loadNs.append(loaded - started)
        try course.afterLoad()
        // A load can take minutes, and the first inference after it can end the process.
        try keepWhatIsDue(loaded)
        try endIfAsked()
        try select(0)
        try warmUp(benchProtocol.warmUp, infer, round)
        let chooser = try chooser(infer, round)
        try measure(infer, round, chooser)
        try keep(roundEnded: round)
    }

    /// Return the time of the measurement; the same as before or later.
    private func now() throws -> Int {
        // The clock of the device may be near the end of its numbers; this one begins near 0.
        let now = instruments.nowNs() &- originNs
        let before = lastNs
        lastNs = now
        if now < before {
            throw ClockFailed(
                message: "The clock went back by \(before &- now) ns while the protocol "
                    + "\(benchProtocol.id) ran; restart the device and measure again.")
        }
        return now
    }

    /// Do what is due between two inferences: give away a part, end where that is asked for.
    private func between(_ nowNs: Int) throws {
        try keepWhatIsDue(nowNs)
        if nowNs >= longestNs { throw EndReached(ending: Ending(limit: .time)) }
        try endIfAsked()
    }

    private func keepWhatIsDue(_ nowNs: Int) throws {
        if nowNs - keptNs >= course.everyNs || columns.isNearlyFull { try keep() }
    }

    private func endIfAsked() throws {
        if let cause = course.stopping.cause { throw EndReached(ending: Ending(asked: cause)) }
    }

    /// Give away what came since the last time.
    private func keep(roundEnded: Int? = nil) throws {
        let part = Part(
            samples: columns.take(),
            loadNs: loadNs,
            gates: gates,
            states: states,
            events: course.events.take(),
            roundEnded: roundEnded
        )
        loadNs = []
        gates = []
        states = []
        isKeeping = true
        try course.keep(part)
        isKeeping = false
        keptNs = try now()
    }

    /// Give away the last part before a failure, which is told even where that fails too.
    private func keep(after failure: any Error) throws {
        do {
            try keep()
        } catch {
            throw KeptNothing(cause: failure, loss: error)
        }
    }

    /// Prepare a round: rest for the fixed time, read the device's state, pass the gate.
    private func rest() throws {
        if benchProtocol.coolDownNs > 0 { try pause(benchProtocol.coolDownNs) }
        let state = try read()
        if let gate = benchProtocol.gate { gates.append(try pass(gate, state)) }
    }

    private func pass(_ gate: Gate, _ first: DeviceState) throws -> GateLog {
        let started = try now()
        var state = first
        while let thermal = state.thermal, thermal > gate.warmest {
            let waited = try now() - started
            if waited >= gate.maxWaitNs {
                return GateLog(waitedNs: waited, start: thermal, open: false)
            }
            try pause(gate.pollNs)
            state = try read()
        }
        return GateLog(
            waitedNs: try now() - started, start: state.thermal, open: state.thermal != nil)
    }

    private func read() throws -> DeviceState {
        var state = instruments.sense()
        state.tNs = try now()
        states.append(state)
        if let limit = course.limits.passed(by: state) {
            throw EndReached(ending: Ending(limit: limit))
        }
        try between(now())
        return state
    }

    /// Wait, at most a second at a time, so that a request to stop is seen soon.
    private func pause(_ nanoseconds: Int) throws {
        let due = try now() + nanoseconds
        var left = nanoseconds
        while left > 0 {
            instruments.waitNs(min(left, sliceNs))
            left = try due - now()
            if left > 0 { try endIfAsked() }
        }
    }

    /// Run one inference, record it, and return its latency.
    private func sample(_ infer: Infer, _ phase: Phase, _ round: Int) throws -> Int {
        let (started, latency) = try freeing {
            let started = try now()
            try infer()
            return (started, try now() - started)
        }
        if latency == 0 { throw ClockFailed(message: standing) }
        columns.add(tNs: started, latencyNs: latency, phase: phase, round: round, width: width)
        return latency
    }

    /// Put a width in force.
    private func select(_ at: Int) throws {
        guard let several else { return }
        try several.select(at)
        index = at
        width = several.widths[at]
    }

    /// Measure the cool latency of each width, the narrowest first; return what chooses.
    private func chooser(_ infer: Infer, _ round: Int) throws -> (any Chooser)? {
        guard let several else { return nil }
        var coolNs = [Int](repeating: 0, count: several.widths.count)
        for at in several.widths.indices.reversed() {
            try select(at)
            for turn in baseline.indices { baseline[turn] = try sample(infer, .warmUp, round) }
            coolNs[at] = medianOfSettled(&baseline)
            try between(now())
        }
        return try several.chooser(coolNs)
    }

    private func warmUp(_ rule: WarmUp, _ infer: Infer, _ round: Int) throws {
        var settling = rule.convergence.map(Settling.init)
        let started = try now()
        var iterations = 0
        while true {
            let latency = try sample(infer, .warmUp, round)
            iterations += 1
            let elapsed = try now() - started
            if elapsed >= rule.maxDurationNs { return }
            let hasConverged = settling?.add(latency) ?? true
            let isEnough = iterations >= rule.minIterations && elapsed >= rule.minDurationNs
            if hasConverged && isEnough { return }
            try between(started + elapsed)
        }
    }

    private func measure(_ infer: Infer, _ round: Int, _ chooser: (any Chooser)?) throws {
        let started = try now()
        var senseAt = started
        var inferences = 0
        while true {
            let latency = try sample(infer, .measured, round)
            inferences += 1
            let elapsed = try now() - started
            if elapsed >= benchProtocol.maxDurationNs { return }
            if inferences >= benchProtocol.inferences && elapsed >= benchProtocol.minDurationNs {
                return
            }
            var state: DeviceState?
            if let senseNs = benchProtocol.senseNs, try now() >= senseAt {
                state = try read()
                senseAt += senseNs
            } else {
                try between(started + elapsed)
            }
            if let chooser { try choose(chooser, latency, state) }
            if let intervalNs = benchProtocol.intervalNs { try waitForFrame(intervalNs, started) }
        }
    }

    /// Let the chooser look at the inference that just ended, and shift where it says so.
    private func choose(_ chooser: any Chooser, _ latencyNs: Int, _ state: DeviceState?) throws {
        let tNs = try now()
        let chosen = chooser.choose(tNs: tNs, index: index, latencyNs: latencyNs, state: state)
        if chosen == index { return }
        let before = width
        try select(chosen)
        course.events.put(
            Event(
                tNs: tNs, kind: .widthShift, fromWidth: before, toWidth: width,
                readings: chooser.readings, note: chooser.reason))
    }

    /// Wait until the next multiple of the interval since the round's first inference.
    ///
    /// No drift adds up, and frames that came while an inference ran are dropped.
    private func waitForFrame(_ intervalNs: Int, _ started: Int) throws {
        let now = try now()
        let frame = (now - started + intervalNs - 1) / intervalNs
        try pause(started + frame * intervalNs - now)
    }
}

/// Ends a run from within; it is no failure.
private struct EndReached: Error {
    let ending: Ending
}

/// Return the median without the first two latencies of a network, rounded down; sorts them.
func medianOfSettled(_ latencies: inout ContiguousArray<Int>) -> Int {
    latencies.withUnsafeMutableBufferPointer { all in
        var settled = UnsafeMutableBufferPointer(rebasing: all[settlingInferences...])
        settled.sort()
        return (settled[(settled.count - 1) / 2] + settled[settled.count / 2]) / 2
    }
}

/// The first inferences of a network, which differ from the others.
private let settlingInferences = 2
private let sliceNs = 1_000_000_000
private let standing =
    "The clock stood still during an inference; it is broken, or too coarse to time this model."
