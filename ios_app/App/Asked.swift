import BenchCore
import Foundation

/// What a launch asks for by its arguments: `--job NAME --key KEY`, and wishes beside them.
struct Asked: Sendable {
    var job: String?
    var key: String?
    /// Ask for the runtime's plan of the job instead of running it.
    var plan = false
    var wishes = RunWishes()

    /// Read the arguments of a launch; what this app does not know is left to the system.
    init(_ arguments: [String]) {
        var rest = arguments.dropFirst()
        while let name = rest.popFirst() {
            switch name {
            case "--job": job = rest.popFirst()
            case "--key": key = rest.popFirst()
            case "--plan": plan = true
            case "--fast-prediction": wishes.coreML.fastPrediction = true
            case "--infrequent-reshapes": wishes.coreML.infrequentReshapes = true
            case "--load-wait":
                let seconds = rest.popFirst().flatMap { Int($0) }
                if let seconds, seconds > 0 { wishes.loadWaitS = seconds }
            default: break
            }
        }
    }
}

/// What a run is asked for beside its job; all of it is off by default.
struct RunWishes: Sendable {
    var coreML = CoreMLWishes()
    /// The longest wait for one load: a first one on the Neural Engine can take many minutes.
    var loadWaitS = 1800
}
