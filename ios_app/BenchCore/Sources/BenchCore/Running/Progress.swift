/// What a run is doing.
public enum RunStage: Sendable {
    case checkingFiles, checkingOutputs, measuring, ended, failed
}

/// Hears of a run on the thread that runs it, between inferences; it has to return at once.
public protocol RunObserver: Sendable {
    func stage(_ stage: RunStage)

    /// Hear how far the run has come, before what may end the process.
    func reached(_ reached: Reached)

    /// Hear what was measured since the part before.
    func part(_ part: Part)
}

/// Hears nothing.
public struct Unobserved: RunObserver {
    public init() {}
    public func stage(_ stage: RunStage) {}
    public func reached(_ reached: Reached) {}
    public func part(_ part: Part) {}
}
