/// What a launch asks for by its arguments: `--job NAME --key KEY`, and wishes beside them.
public struct Asked: Hashable, Sendable {
    public private(set) var job: String?
    public private(set) var key: String?
    /// Ask for the runtime's plan of the job instead of running it.
    public private(set) var plan = false
    public private(set) var wishes = RunWishes()
    /// What is wrong with the arguments, in a sentence; then nothing is run by them.
    public private(set) var problem: String?

    /// Read the arguments of a launch, of which the first is the program's name.
    ///
    /// Those of the system, such as `-AppleLanguages`, have one dash and are left to it.
    public init(_ arguments: [String]) {
        var rest = arguments.dropFirst()
        while let name = rest.popFirst() {
            switch name {
            case "--job": job = value(of: name, &rest)
            case "--key": key = value(of: name, &rest)
            case "--plan": plan = true
            case "--fast-prediction": wishes.coreML.fastPrediction = true
            case "--infrequent-reshapes": wishes.coreML.infrequentReshapes = true
            case "--load-wait": takeLoadWait(value(of: name, &rest))
            default: if name.hasPrefix("--") { refuse("This app has no argument \(name)") }
            }
        }
    }

    private mutating func value(of name: String, _ rest: inout ArraySlice<String>) -> String? {
        if let value = rest.first, !value.hasPrefix("--") { return rest.popFirst() }
        refuse("A value has to follow \(name)")
        return nil
    }

    private mutating func takeLoadWait(_ text: String?) {
        guard let text else { return }
        if let seconds = Int(text), (1...longestLoadWaitS).contains(seconds) {
            wishes.loadWaitS = seconds
        } else {
            refuse("--load-wait takes 1 to \(longestLoadWaitS) seconds, and it is \(text)")
        }
    }

    /// The first problem stays.
    private mutating func refuse(_ clause: String) {
        problem = problem ?? "\(clause.prefix(200)); launch the app anew without it."
    }
}

private let longestLoadWaitS = 86_400

/// What a run is asked for beside its job; all of it is off by default.
public struct RunWishes: Hashable, Sendable {
    public var coreML = CoreMLWishes()
    /// The longest wait for one load: a first one on the Neural Engine can take many minutes.
    public var loadWaitS = 1800
    /// How often a task of low priority tells a server of the run; nil where it is not for one.
    public var heartbeatS: Int?

    public init() {}
}

/// What a user asks of Core ML beside a job; nothing of it is on by default.
public struct CoreMLWishes: Hashable, Sendable {
    /// Prefer fast predictions to fast loads (iOS 18).
    public var fastPrediction = false
    /// Tell Core ML that shapes seldom change (iOS 17.4).
    public var infrequentReshapes = false

    public init() {}
}
