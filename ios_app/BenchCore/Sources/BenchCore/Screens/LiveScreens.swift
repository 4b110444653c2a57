/// Why a run was stopped that another one can go on with.
public enum StopCause: String, Sendable {
    case user = "stopped by the user"
    /// The app left the front, where it may not use the GPU.
    case leftFront = "the app left the front"
    case tooHot = "the thermal state is critical"

    /// What a job's folder says of it, for whoever does not see the screen.
    public var sentence: String {
        switch self {
        case .user: "The user stopped the run; another one goes on with it."
        case .leftFront:
            "The app left the front, where it may not use the GPU; another run goes on with it."
        case .tooHot:
            "The thermal state is critical; another run goes on with it when the device is cool."
        }
    }

    fileprivate var key: TextKey {
        switch self {
        case .user: .runStopped
        case .leftFront: .runStoppedBehind
        case .tooHot: .runStoppedHot
        }
    }
}

/// How a run came to its end.
public struct RunEnd: Hashable, Sendable {
    /// Why there is no measurement; nil where there is one.
    public let failure: Phrase?
    /// Why it was stopped; nil where it was not.
    public let stopped: StopCause?

    public init(failure: Phrase? = nil, stopped: StopCause? = nil) {
        self.failure = failure
        self.stopped = stopped
    }
}

extension BenchProtocol {
    /// Whether the page of a run may change while it measures: drawing takes time from the model.
    public var drawsWhileMeasuring: Bool { senseNs != nil }
}

/// Return the page of a run.
///
/// Where the protocol reads no sensors between inferences, the page shows what was asked for and
/// stands still from the first inference to the end, because drawing takes time from the model.
public func livePage(
    title: Phrase, run: RunSoFar, stage: RunStage, stopping: Bool = false, end: RunEnd? = nil
) -> LiveScreen {
    let draws = run.benchProtocol.drawsWhileMeasuring
    let still = stage == .measuring && !draws
    let over = stage == .ended || stage == .failed
    return LiveScreen(
        title: title,
        status: status(run, stage, stopping: stopping, end: end),
        facts: still ? [] : facts(run),
        share: still ? nil : stage == .ended ? 1 : run.share,
        chart: !still && (over || draws),
        warning: warning(run),
        actions: [
            over
                ? Action(.open, .of(.showResult))
                : Action(.stop, .of(.stop), enabled: !stopping)
        ])
}

private func status(
    _ run: RunSoFar, _ stage: RunStage, stopping: Bool, end: RunEnd?
) -> Phrase {
    switch stage {
    case .failed: .of(.runFailed, end?.failure ?? .verbatim(""))
    case .ended: .of(end?.stopped?.key ?? .runEnded)
    case _ where stopping: .of(.runStopping)
    case .checkingFiles: .of(.runCheckingFiles)
    case .checkingOutputs: .of(.runCheckingOutputs)
    case .measuring where !run.benchProtocol.drawsWhileMeasuring: .of(.runStill)
    case .measuring: .of(.runRound, "\(run.round + 1)", "\(run.benchProtocol.rounds)")
    }
}

private func facts(_ run: RunSoFar) -> [Fact] {
    var facts: [Fact] = []
    if let latencyNs = run.lastLatencyNs { facts.append(Fact(.lastLatency, duration(latencyNs))) }
    if run.samples > 0 { facts.append(Fact(.samples, "\(run.samples)")) }
    if let last = run.states.last {
        if let shown = shownTemperature(last) { facts.append(Fact(.temperature, celsius(shown))) }
        facts.append(Fact(.thermalState, last.thermal.map { .of($0.key) } ?? .of(.notKnown)))
    }
    if let width = run.width.values.last { facts.append(Fact(.width, plain(width))) }
    return facts
}

private func warning(_ run: RunSoFar) -> Phrase? {
    let kinds = Set(run.events.map(\.kind))
    if kinds.contains(.call) { return .of(.warningCall) }
    if kinds.contains(.screenOff) { return .of(.warningScreenOff) }
    return kinds.contains(.background) ? .of(.warningBackground) : nil
}
