/// A process begins to measure: the first one, or one that goes on for another.
public struct Start: Hashable, Sendable {
    public var jobSha256: String
    /// UTC, RFC 3339; see `utc`.
    public var created: String
    /// On the measurement's clock: 0, or later than everything in the journal before.
    public var tNs: Int
    /// The round that it begins with; what the journal has of it so far does not count.
    public var round: Int
    public var device: Device
    public var runtime: RuntimeInfo
    public var application: Application?
    public var before: DeviceState
    /// Resident memory with the runtime loaded and no model.
    public var beforeLoadBytes: Int

    public init(
        jobSha256: String,
        created: String,
        tNs: Int = 0,
        round: Int = 0,
        device: Device,
        runtime: RuntimeInfo,
        application: Application? = nil,
        before: DeviceState,
        beforeLoadBytes: Int
    ) {
        self.jobSha256 = jobSha256
        self.created = created
        self.tNs = tNs
        self.round = round
        self.device = device
        self.runtime = runtime
        self.application = application
        self.before = before
        self.beforeLoadBytes = beforeLoadBytes
    }
}

/// The measurement ended: by its protocol, a limit or a failure.
public struct End: Hashable, Sendable {
    public var after: DeviceState
    public var stopped: Stop?
    public var failure: Failure?

    public init(after: DeviceState, stopped: Stop? = nil, failure: Failure? = nil) {
        self.after = after
        self.stopped = stopped
        self.failure = failure
    }
}

/// One line: what came since the line before. Its number is its place in the file.
public struct Line: Hashable, Sendable {
    public var start: Start?
    public var parity: [UnitParity]
    public var placement: [PlacedOperation]?
    public var unitTimings: [UnitTiming]
    public var loads: [Load]
    public var gates: [GateLog]
    /// Nil where there is none; never empty.
    public var samples: Samples?
    public var states: [DeviceState]
    public var events: [Event]
    public var power: Power?
    public var scheduling: [Scheduling]
    /// Largest resident memory of the process so far; needed beside samples.
    public var peakBytes: Int?
    public var roundEnded: Int?
    public var end: End?

    public init(
        start: Start? = nil,
        parity: [UnitParity] = [],
        placement: [PlacedOperation]? = nil,
        unitTimings: [UnitTiming] = [],
        loads: [Load] = [],
        gates: [GateLog] = [],
        samples: Samples? = nil,
        states: [DeviceState] = [],
        events: [Event] = [],
        power: Power? = nil,
        scheduling: [Scheduling] = [],
        peakBytes: Int? = nil,
        roundEnded: Int? = nil,
        end: End? = nil
    ) {
        self.start = start
        self.parity = parity
        self.placement = placement
        self.unitTimings = unitTimings
        self.loads = loads
        self.gates = gates
        self.samples = samples
        self.states = states
        self.events = events
        self.power = power
        self.scheduling = scheduling
        self.peakBytes = peakBytes
        self.roundEnded = roundEnded
        self.end = end
        precondition(samples.map { $0.count > 0 } ?? true, "a line has no empty columns")
        precondition(samples == nil || peakBytes != nil, "a line with samples has peakBytes")
    }
}

extension Line {
    /// Make the line of a part that the engine gave away, with what was seen beside it.
    public init(
        _ part: Part,
        loads: [Load],
        peakBytes: Int,
        power: Power? = nil,
        scheduling: [Scheduling] = [],
        events: [Event] = []
    ) {
        self.init(
            loads: loads,
            gates: part.gates,
            samples: part.samples.count > 0 ? part.samples : nil,
            states: part.states,
            events: (part.events + events).sorted { $0.tNs < $1.tNs },
            power: power,
            scheduling: scheduling,
            peakBytes: peakBytes,
            roundEnded: part.roundEnded
        )
    }
}
