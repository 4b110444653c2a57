/// The accuracy of a variant, and where it comes from.
public struct VariantAccuracy: Hashable, Sendable {
    public var top1: Double
    public var source: String
    public var measured: Bool

    public init(top1: Double, source: String, measured: Bool) {
        self.top1 = top1
        self.source = source
        self.measured = measured
    }
}

/// One network of several between which a policy chooses.
public struct Variant: Hashable, Sendable {
    public var name: String
    public var modelFile: String
    public var modelSha256: String
    /// As a share of the channels of the full network.
    public var width: Double
    /// What chooses it in a file of several widths; its form depends on the format.
    public var entry: String?
    public var accuracy: VariantAccuracy?

    public init(
        name: String,
        modelFile: String,
        modelSha256: String,
        width: Double,
        entry: String? = nil,
        accuracy: VariantAccuracy? = nil
    ) {
        self.name = name
        self.modelFile = modelFile
        self.modelSha256 = modelSha256
        self.width = width
        self.entry = entry
        self.accuracy = accuracy
    }
}

/// One output of the network, and how far a device may be off.
public struct ExpectedOutput: Hashable, Sendable {
    public var tensor: TensorSpec
    public var limit: Double
    public var halfLimit: Double

    public init(tensor: TensorSpec, limit: Double, halfLimit: Double) {
        self.tensor = tensor
        self.limit = limit
        self.halfLimit = halfLimit
    }

    public func limit(on unit: ComputeUnit) -> Double { unit == .cpu ? limit : halfLimit }
}

/// Inputs with expected outputs, which a device computes before it is timed.
public struct ParityCheck: Hashable, Sendable {
    public var batches: Int
    public var seeds: [Int]
    public var inputsFile: String
    public var inputsSha256: String
    public var expectedFile: String
    public var expectedSha256: String
    public var outputs: [ExpectedOutput]

    public init(
        batches: Int,
        seeds: [Int] = [],
        inputsFile: String,
        inputsSha256: String,
        expectedFile: String,
        expectedSha256: String,
        outputs: [ExpectedOutput]
    ) {
        self.batches = batches
        self.seeds = seeds
        self.inputsFile = inputsFile
        self.inputsSha256 = inputsSha256
        self.expectedFile = expectedFile
        self.expectedSha256 = expectedSha256
        self.outputs = outputs
    }
}

/// What a policy has to keep; a limit that is nil is not an aim.
public struct Aim: Hashable, Sendable {
    public var deadlineNs: Int?
    public var warmest: ThermalState?
    public var headroom: Double?
    public var skinC: Double?
    public var batteryC: Double?
    public var uncapped: Bool
    public var energyMj: Double?

    public init(
        deadlineNs: Int? = nil,
        warmest: ThermalState? = nil,
        headroom: Double? = nil,
        skinC: Double? = nil,
        batteryC: Double? = nil,
        uncapped: Bool = false,
        energyMj: Double? = nil
    ) {
        self.deadlineNs = deadlineNs
        self.warmest = warmest
        self.headroom = headroom
        self.skinC = skinC
        self.batteryC = batteryC
        self.uncapped = uncapped
        self.energyMj = energyMj
    }
}

/// A rule, its aim, and the numbers that it is tuned by.
public struct Policy: Hashable, Sendable {
    public var rule: PolicyRule
    public var aim: Aim
    public var parameters: [String: Double]

    public init(rule: PolicyRule = .fixed, aim: Aim = Aim(), parameters: [String: Double] = [:]) {
        self.rule = rule
        self.aim = aim
        self.parameters = parameters
    }
}

/// Where a device stops by itself and keeps what it has; nil is no limit.
public struct Limits: Hashable, Sendable {
    public var timeNs: Int?
    public var warmest: ThermalState?
    public var hottestC: Double?
    public var leastBattery: Double?

    public init(
        timeNs: Int? = nil,
        warmest: ThermalState? = nil,
        hottestC: Double? = nil,
        leastBattery: Double? = nil
    ) {
        self.timeNs = timeNs
        self.warmest = warmest
        self.hottestC = hottestC
        self.leastBattery = leastBattery
    }

    /// Return the limit that a reading is beyond; nil where it is within all of them.
    public func passed(by state: DeviceState) -> Stop? {
        if let warmest, let thermal = state.thermal, thermal > warmest { return .heat }
        let hottest = state.temperaturesC?.values.max()
        if let hottestC, let hottest, hottest > hottestC { return .heat }
        guard let leastBattery, let charge = state.batteryFraction else { return nil }
        return charge < leastBattery && state.charging != true ? .battery : nil
    }
}

/// How a device tells of its progress.
public struct Reporting: Hashable, Sendable {
    public var journalFile: String
    public var everyNs: Int

    public init(journalFile: String = "journal.jsonl", everyNs: Int = 1_000_000_000) {
        self.journalFile = journalFile
        self.everyNs = everyNs
    }
}

/// Run one model on one runtime by one protocol. Files are relative to the folder of the job.
public struct Job: Hashable, Sendable {
    public var schemaVersion: Int
    public var modelFile: String
    public var modelSha256: String
    public var format: Format
    public var delegate: String?
    public var inputs: [TensorSpec]
    public var runtime: String
    public var computeUnit: ComputeUnit
    public var threads: Int
    public var benchProtocol: BenchProtocol
    public var seed: Int
    /// Every network that the policy may choose, the widest first; empty where there is one.
    public var variants: [Variant]
    public var policy: Policy
    public var parity: ParityCheck?
    public var limits: Limits
    public var reporting: Reporting
    public var uploadUrl: String?

    public init(
        schemaVersion: Int,
        modelFile: String,
        modelSha256: String,
        format: Format,
        delegate: String?,
        inputs: [TensorSpec],
        runtime: String,
        computeUnit: ComputeUnit = .cpu,
        threads: Int = 1,
        benchProtocol: BenchProtocol,
        seed: Int = 0,
        variants: [Variant] = [],
        policy: Policy = Policy(),
        parity: ParityCheck? = nil,
        limits: Limits = Limits(),
        reporting: Reporting = Reporting(),
        uploadUrl: String? = nil
    ) {
        self.schemaVersion = schemaVersion
        self.modelFile = modelFile
        self.modelSha256 = modelSha256
        self.format = format
        self.delegate = delegate
        self.inputs = inputs
        self.runtime = runtime
        self.computeUnit = computeUnit
        self.threads = threads
        self.benchProtocol = benchProtocol
        self.seed = seed
        self.variants = variants
        self.policy = policy
        self.parity = parity
        self.limits = limits
        self.reporting = reporting
        self.uploadUrl = uploadUrl
    }
}
