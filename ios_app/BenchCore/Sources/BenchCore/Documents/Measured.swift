/// How one round came through the gate of its protocol.
public struct GateLog: Hashable, Sendable {
    public var waitedNs: Int
    public var start: ThermalState?
    public var open: Bool

    public init(waitedNs: Int, start: ThermalState?, open: Bool) {
        self.waitedNs = waitedNs
        self.start = start
        self.open = open
    }
}

/// One thing that happened, on the clock of the samples.
public struct Event: Hashable, Sendable {
    public var tNs: Int
    public var kind: EventKind
    public var fromWidth: Double?
    public var toWidth: Double?
    public var readings: [String: Double]
    public var note: String?

    public init(
        tNs: Int,
        kind: EventKind,
        fromWidth: Double? = nil,
        toWidth: Double? = nil,
        readings: [String: Double] = [:],
        note: String? = nil
    ) {
        self.tNs = tNs
        self.kind = kind
        self.fromWidth = fromWidth
        self.toWidth = toWidth
        self.readings = readings
        self.note = note
    }
}

/// One inference per entry, in the order they ran; all columns have the same length.
public struct Samples: Hashable, Sendable {
    public var tNs: [Int]
    public var latencyNs: [Int]
    public var phase: [Phase]
    public var round: [Int]
    /// Empty where the full network ran throughout.
    public var width: [Double]

    public init(tNs: [Int], latencyNs: [Int], phase: [Phase], round: [Int], width: [Double] = []) {
        self.tNs = tNs
        self.latencyNs = latencyNs
        self.phase = phase
        self.round = round
        self.width = width
    }

    public var count: Int { tNs.count }
}

/// One load of the model.
public struct Load: Hashable, Sendable {
    public var kind: LoadKind
    public var ns: Int

    public init(kind: LoadKind, ns: Int) {
        self.kind = kind
        self.ns = ns
    }
}

/// How far one output is from the one that was expected; nil where it is not finite.
public struct OutputParity: Hashable, Sendable {
    public var name: String
    public var maxRelativeError: Double?
    public var limit: Double

    public init(name: String, maxRelativeError: Double?, limit: Double) {
        self.name = name
        self.maxRelativeError = maxRelativeError
        self.limit = limit
    }

    public var passed: Bool { maxRelativeError.map { $0 <= limit } ?? false }
}

/// What the device computed on one unit before it was timed.
public struct UnitParity: Hashable, Sendable {
    public var unit: ComputeUnit
    public var outputs: [OutputParity]

    public init(unit: ComputeUnit, outputs: [OutputParity]) {
        self.unit = unit
        self.outputs = outputs
    }

    public var passed: Bool { outputs.allSatisfy(\.passed) }
}

/// Where one operation of the model is to run, as the device's own plan says.
public struct PlacedOperation: Hashable, Sendable {
    public var name: String
    public var kind: String
    /// Nil where the plan does not say.
    public var unit: ComputeUnit?
    public var possible: [ComputeUnit]
    /// Its share of the whole, 0 to 1.
    public var cost: Double?

    public init(
        name: String,
        kind: String,
        unit: ComputeUnit?,
        possible: [ComputeUnit] = [],
        cost: Double? = nil
    ) {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.possible = possible
        self.cost = cost
    }
}

/// The median latency with another unit asked for, in the same process.
public struct UnitTiming: Hashable, Sendable {
    public var unit: ComputeUnit
    public var p50Ns: Double
    public var samples: Int

    public init(unit: ComputeUnit, p50Ns: Double, samples: Int) {
        self.unit = unit
        self.p50Ns = p50Ns
        self.samples = samples
    }
}

/// The software that ran the model, with what it was asked for.
public struct RuntimeInfo: Hashable, Sendable {
    public var name: String
    public var version: String
    public var computeUnitRequested: ComputeUnit
    public var computeUnitEvidence: UnitEvidence
    public var delegate: String?
    public var threads: Int
    /// Options of the runtime that the runner set, by the runtime's own names.
    public var settings: [String: String]

    public init(
        name: String,
        version: String,
        computeUnitRequested: ComputeUnit,
        computeUnitEvidence: UnitEvidence,
        delegate: String?,
        threads: Int,
        settings: [String: String] = [:]
    ) {
        self.name = name
        self.version = version
        self.computeUnitRequested = computeUnitRequested
        self.computeUnitEvidence = computeUnitEvidence
        self.delegate = delegate
        self.threads = threads
        self.settings = settings
    }
}

/// The app that measured.
public struct Application: Hashable, Sendable {
    public var name: String
    public var version: String
    public var build: Build
    public var runtimeBuild: Build?

    public init(name: String, version: String, build: Build, runtimeBuild: Build? = nil) {
        self.name = name
        self.version = version
        self.build = build
        self.runtimeBuild = runtimeBuild
    }
}

/// How the system treated the measuring process at one moment; nil is not known.
public struct Scheduling: Hashable, Sendable {
    public var tNs: Int
    public var foreground: Bool?
    public var screenOn: Bool?
    public var importance: String?
    public var cpuset: String?
    public var affinity: [Int]?
    public var priority: Int?
    public var qos: String?
    public var fixedPerformance: Bool?

    public init(
        tNs: Int,
        foreground: Bool? = nil,
        screenOn: Bool? = nil,
        importance: String? = nil,
        cpuset: String? = nil,
        affinity: [Int]? = nil,
        priority: Int? = nil,
        qos: String? = nil,
        fixedPerformance: Bool? = nil
    ) {
        self.tNs = tNs
        self.foreground = foreground
        self.screenOn = screenOn
        self.importance = importance
        self.cpuset = cpuset
        self.affinity = affinity
        self.priority = priority
        self.qos = qos
        self.fixedPerformance = fixedPerformance
    }
}

/// Why a job has no measurement.
public struct Failure: Hashable, Sendable {
    public var stage: Stage
    public var error: String
    public var message: String
    public var logTail: String
    public var advice: String?

    public init(
        stage: Stage,
        error: String,
        message: String,
        logTail: String = "",
        advice: String? = nil
    ) {
        self.stage = stage
        self.error = error
        self.message = message
        self.logTail = logTail
        self.advice = advice
    }
}
