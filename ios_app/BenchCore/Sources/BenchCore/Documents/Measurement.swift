/// What comes of a job: a measurement, or the reason why there is none.
public enum Outcome: Hashable, Sendable {
    case measurement(Measurement)
    case failure(Failure)
}

/// Times from the file to a network that can run.
public struct Loads: Hashable, Sendable {
    /// The first load of a fresh process.
    public var firstNs: Int
    /// Loads of later rounds in the same process.
    public var warmNs: [Int]
    /// With nothing in the system's caches; nil where it was not measured.
    public var firstEverNs: Int?
    /// First loads of other fresh processes.
    public var coldNs: [Int]

    public init(firstNs: Int, warmNs: [Int] = [], firstEverNs: Int? = nil, coldNs: [Int] = []) {
        self.firstNs = firstNs
        self.warmNs = warmNs
        self.firstEverNs = firstEverNs
        self.coldNs = coldNs
    }
}

/// Resident memory of the measuring process.
public struct Memory: Hashable, Sendable {
    public var peakBytes: Int
    /// With the runtime loaded and no model.
    public var beforeLoadBytes: Int

    public init(peakBytes: Int, beforeLoadBytes: Int) {
        self.peakBytes = peakBytes
        self.beforeLoadBytes = beforeLoadBytes
    }
}

/// One reading of the battery; the current is as the device gives it, never scaled.
public struct PowerReading: Hashable, Sendable {
    public var tNs: Int
    /// Charge of the battery, 0 to 1.
    public var level: Double?
    public var current: Int?
    public var voltageMv: Int?
    public var charging: Bool?

    public init(
        tNs: Int,
        level: Double? = nil,
        current: Int? = nil,
        voltageMv: Int? = nil,
        charging: Bool? = nil
    ) {
        self.tNs = tNs
        self.level = level
        self.current = current
        self.voltageMv = voltageMv
        self.charging = charging
    }
}

/// The battery over a measurement, and what is known of its readings.
public struct Power: Hashable, Sendable {
    public var readings: [PowerReading]
    public var currentUnit: CurrentUnit
    public var discharging: Discharging
    /// Whether the charge counter agrees with the level; nil where it was not checked.
    public var counterTrusted: Bool?
    /// Why an energy cannot be computed, in clauses.
    public var doubts: [String]

    public init(
        readings: [PowerReading],
        currentUnit: CurrentUnit = .unknown,
        discharging: Discharging = .unknown,
        counterTrusted: Bool? = nil,
        doubts: [String] = []
    ) {
        self.readings = readings
        self.currentUnit = currentUnit
        self.discharging = discharging
        self.counterTrusted = counterTrusted
        self.doubts = doubts
    }
}

/// What was measured for one job.
public struct Measurement: Hashable, Sendable {
    public var runtime: RuntimeInfo
    public var samples: Samples
    public var loads: Loads
    public var memory: Memory
    public var before: DeviceState
    public var after: DeviceState
    public var gates: [GateLog]
    public var states: [DeviceState]
    public var events: [Event]
    public var power: Power?
    public var scheduling: [Scheduling]
    public var application: Application?
    public var parity: [UnitParity]
    /// The device's own plan; nil where it tells none.
    public var placement: [PlacedOperation]?
    public var unitTimings: [UnitTiming]
    /// The limit that ended it; nil where it ran to its end.
    public var stopped: Stop?
    /// Whether it was read from the journal of a run that did not end.
    public var cutOff: Bool

    public init(
        runtime: RuntimeInfo,
        samples: Samples,
        loads: Loads,
        memory: Memory,
        before: DeviceState,
        after: DeviceState,
        gates: [GateLog] = [],
        states: [DeviceState] = [],
        events: [Event] = [],
        power: Power? = nil,
        scheduling: [Scheduling] = [],
        application: Application? = nil,
        parity: [UnitParity] = [],
        placement: [PlacedOperation]? = nil,
        unitTimings: [UnitTiming] = [],
        stopped: Stop? = nil,
        cutOff: Bool = false
    ) {
        self.runtime = runtime
        self.samples = samples
        self.loads = loads
        self.memory = memory
        self.before = before
        self.after = after
        self.gates = gates
        self.states = states
        self.events = events
        self.power = power
        self.scheduling = scheduling
        self.application = application
        self.parity = parity
        self.placement = placement
        self.unitTimings = unitTimings
        self.stopped = stopped
        self.cutOff = cutOff
    }
}
