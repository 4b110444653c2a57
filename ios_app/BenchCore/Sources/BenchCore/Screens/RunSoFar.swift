/// What a run has measured until now.
public struct RunSoFar: Sendable {
    public let benchProtocol: BenchProtocol

    public private(set) var latencyOfWarmUp = Series()
    /// Of samples that count, in milliseconds.
    public private(set) var latency = Series()
    public private(set) var width = Series()
    public private(set) var temperatureC = Series()
    public private(set) var states: [DeviceState] = []
    public private(set) var events: [Event] = []

    /// Samples that count.
    public private(set) var samples = 0
    /// Rounds that came to their end.
    public private(set) var roundsEnded = 0
    /// The end of the last inference, or the last reading.
    public private(set) var endNs = 0
    /// The last inference's latency, measured or of a warm-up; nil before the first.
    public private(set) var lastLatencyNs: Int?

    private var lastRound = -1
    private var lastPhase: Phase?
    private var roundBeganNs = 0
    private var inRound = 0

    public init(_ benchProtocol: BenchProtocol) {
        self.benchProtocol = benchProtocol
    }

    /// Put the samples of a result together as its chart needs them.
    public init(_ job: Job, _ outcome: Measurement) {
        self.init(job.benchProtocol)
        add(outcome.samples)
        for state in [outcome.before] + outcome.states + [outcome.after] { add(state) }
        for event in outcome.events { add(event) }
    }

    /// The round that runs now, from 0.
    public var round: Int { min(max(lastRound, roundsEnded), benchProtocol.rounds - 1) }

    public mutating func add(_ part: Part) {
        add(part.samples)
        for state in part.states { add(state) }
        for event in part.events { add(event) }
        if let ended = part.roundEnded { roundsEnded = max(roundsEnded, ended + 1) }
    }

    public mutating func add(_ samples: Samples) {
        for index in 0..<samples.count {
            let tNs = samples.tNs[index]
            let latencyNs = samples.latencyNs[index]
            let phase = samples.phase[index]
            if samples.round[index] != lastRound || phase != lastPhase { begin(samples, index) }
            if !samples.width.isEmpty { width.add(tNs, samples.width[index]) }
            if phase == .measured {
                latency.add(tNs, Double(latencyNs) / 1e6)
                self.samples += 1
                inRound += 1
            } else {
                latencyOfWarmUp.add(tNs, Double(latencyNs) / 1e6)
            }
            lastLatencyNs = latencyNs
            endNs = max(endNs, tNs + latencyNs)
        }
    }

    public mutating func add(_ state: DeviceState) {
        states.append(state)
        temperatureC.add(state.tNs, shownTemperature(state) ?? .nan)
        endNs = max(endNs, state.tNs)
    }

    public mutating func add(_ event: Event) {
        events.append(event)
    }

    /// The share of the protocol that is done, 0 to 1; a round in progress counts by its time.
    public var share: Double {
        let leastNs = benchProtocol.minDurationNs
        let byTime = leastNs > 0 ? Double(endNs - roundBeganNs) / Double(leastNs) : 1
        let byCount = Double(inRound) / Double(benchProtocol.inferences)
        let within = inRound == 0 ? 0 : min(byTime, byCount, 1)
        let ended = Double(roundsEnded) + (lastRound >= roundsEnded ? within : 0)
        return min(max(ended / Double(benchProtocol.rounds), 0), 1)
    }

    /// The median of what counts so far, in nanoseconds; nil before the first.
    public var medianNs: Double? {
        let sorted = latency.values.filter { !$0.isNaN }.sorted()
        return sorted.isEmpty ? nil : percentile(ofOrdered: sorted, 50) * 1e6
    }

    /// The warmest thermal state that was read; nil where none was.
    public var warmest: ThermalState? { states.compactMap(\.thermal).max() }

    private mutating func begin(_ samples: Samples, _ index: Int) {
        let tNs = samples.tNs[index]
        // Between two rounds the model rests: no line joins them.
        if samples.round[index] != lastRound {
            latencyOfWarmUp.gap(tNs)
            latency.gap(tNs)
        }
        lastRound = samples.round[index]
        lastPhase = samples.phase[index]
        roundBeganNs = tNs
        inRound = 0
    }
}

/// The sensor that a chart shows: the battery where there is one, else the warmest.
func shownTemperature(_ state: DeviceState) -> Double? {
    guard let temperatures = state.temperaturesC else { return nil }
    return temperatures["battery"] ?? temperatures.values.max()
}
