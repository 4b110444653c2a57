/// How a process ended, as far as it could be seen from the next launch.
///
/// iOS tells an app no reason. A fault leaves a mark by a handler of signals; what the system ends
/// (for memory, for time, by the user) leaves nothing.
public enum Exit: Hashable, Sendable {
    case crashed(signal: Int)
    case unknown

    public var error: String {
        switch self {
        case .crashed: "Crashed"
        case .unknown: "CutOff"
        }
    }
}

/// How far a run had come when its process ended.
public enum Reached: String, CaseIterable, Sendable {
    case nothing
    /// The journal has its start; a model is being loaded to be checked.
    case started
    /// A model computes outputs to be checked.
    case checking = "checking outputs"
    /// The outputs are checked, or need no check; a model is being loaded to be measured.
    case loading
    /// The first inference is about to run, or has run.
    case measuring

    fileprivate var stage: Stage {
        switch self {
        case .nothing, .started, .loading: .load
        case .checking: .parity
        case .measuring: .run
        }
    }
}

/// Return why a run has no result whose process ended before it.
public func failure(of exit: Exit, _ reached: Reached) -> Failure {
    let what: String
    let advice: String
    switch exit {
    case .crashed(let signal):
        what = "the process crashed with the signal \(signal)"
        advice =
            "Load the model with the same runtime on a Mac; a file that the runtime cannot "
            + "compile for a unit can end the process."
    case .unknown:
        what = "the process ended, and the system does not say why"
        advice = "Run it again, leave the app in front, and close other apps."
    }
    return Failure(
        stage: reached.stage, error: exit.error,
        message: "\(what) before the run came to its end", advice: advice)
}
