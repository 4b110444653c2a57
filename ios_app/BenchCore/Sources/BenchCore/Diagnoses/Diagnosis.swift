/// Whether a measurement may be read as a result.
public enum Validity: String, Word {
    case valid, suspect
}

/// What can be wrong with a measurement, the most serious first.
public enum Diagnosis: String, Word {
    case tooFewSamples = "too few samples"
    case timerTooCoarse = "timer too coarse"
    case outputsDiffer = "outputs differ"
    case otherUnit = "not on the unit asked for"
    case debugBuild = "debug build"
    case notInFront = "not in front"
    case stoppedEarly = "stopped early"
    case cutOff = "cut off"
    case notGated = "not gated"
    case throttled
    case clockCapped = "clock capped"
    case driftWithTemperature = "drift with temperature"
    case burstNotSustained = "burst mistaken for sustained"
    case notConverged = "not converged"
    case backgroundLoad = "background load"
    case moreThreadsThanCores = "more threads than cores"
    case lowPowerMode = "low power mode"
    case memoryShort = "memory short"
    case chargerChanged = "charger changed"
    case noisySamples = "noisy samples"
    case bimodalLatency = "bimodal latency"
    case thermalStateChanged = "thermal state changed"
    case slowFirstRun = "slow first run"
}

/// What makes a measurement doubtful, the most serious first.
public struct Judgement: Equatable, Sendable {
    public let reasons: [Diagnosis]

    public init(reasons: [Diagnosis]) {
        self.reasons = reasons
    }

    /// Warm-up samples do not count, so a slow first one leaves the numbers valid.
    public var validity: Validity {
        reasons.allSatisfy { $0 == .slowFirstRun } ? .valid : .suspect
    }
}
