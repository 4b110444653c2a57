/// A warm-up ends when a fast and a slow moving average of the latency agree; see the contract.
public struct Convergence: Hashable, Sendable {
    public var fast: Double
    public var slow: Double
    public var tolerance: Double
    public var consecutive: Int

    public init(
        fast: Double = 0.1,
        slow: Double = 0.005,
        tolerance: Double = 0.04,
        consecutive: Int = 40
    ) {
        self.fast = fast
        self.slow = slow
        self.tolerance = tolerance
        self.consecutive = consecutive
    }
}

/// How long to run before samples count; every warm-up sample is kept and marked.
public struct WarmUp: Hashable, Sendable {
    public var minIterations: Int
    public var minDurationNs: Int
    public var maxDurationNs: Int
    public var convergence: Convergence?

    public init(
        minIterations: Int,
        minDurationNs: Int,
        maxDurationNs: Int,
        convergence: Convergence? = nil
    ) {
        self.minIterations = minIterations
        self.minDurationNs = minDurationNs
        self.maxDurationNs = maxDurationNs
        self.convergence = convergence
    }
}

/// Starts a round only on a rested device: its thermal state is `warmest` or cooler.
public struct Gate: Hashable, Sendable {
    public var warmest: ThermalState
    public var pollNs: Int
    public var maxWaitNs: Int

    public init(
        warmest: ThermalState = .nominal,
        pollNs: Int = 1_000_000_000,
        maxWaitNs: Int = 300_000_000_000
    ) {
        self.warmest = warmest
        self.pollNs = pollNs
        self.maxWaitNs = maxWaitNs
    }
}

/// Rounds of: wait for the gate, load the model, warm up, then measure.
///
/// The contract calls it a protocol, a name that Swift and Objective-C keep for themselves.
public struct BenchProtocol: Hashable, Sendable {
    public var id: String
    public var purpose: String
    public var rounds: Int
    public var warmUp: WarmUp
    public var inferences: Int
    public var minDurationNs: Int
    public var maxDurationNs: Int
    public var intervalNs: Int?
    public var coolDownNs: Int
    public var gate: Gate?
    public var senseNs: Int?
    public var windowNs: Int?
    public var headline: Headline
    public var trim: Int
    public var indicative: Bool

    public init(
        id: String,
        purpose: String,
        rounds: Int,
        warmUp: WarmUp,
        inferences: Int,
        minDurationNs: Int,
        maxDurationNs: Int,
        intervalNs: Int? = nil,
        coolDownNs: Int = 0,
        gate: Gate? = nil,
        senseNs: Int? = nil,
        windowNs: Int? = nil,
        headline: Headline = .median,
        trim: Int = 0,
        indicative: Bool = false
    ) {
        self.id = id
        self.purpose = purpose
        self.rounds = rounds
        self.warmUp = warmUp
        self.inferences = inferences
        self.minDurationNs = minDurationNs
        self.maxDurationNs = maxDurationNs
        self.intervalNs = intervalNs
        self.coolDownNs = coolDownNs
        self.gate = gate
        self.senseNs = senseNs
        self.windowNs = windowNs
        self.headline = headline
        self.trim = trim
        self.indicative = indicative
    }
}
