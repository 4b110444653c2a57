/// How a run begins, where it ends early, and to whom it gives its parts.
public struct Course {
    public var limits: Limits
    /// Takes a part between two inferences, when `everyNs` have passed, and after each round.
    ///
    /// It runs on the thread that measures, so it has to be quick: hand the part to another thread,
    /// or write its line at once. What it throws ends the run.
    public var keep: (Part) throws -> Void
    public var everyNs: Int
    public var firstRound: Int
    /// What the measurement's clock shows at the beginning.
    public var tNs: Int
    /// Called before each load and after it; no time of a load has these in it.
    public var beforeLoad: () throws -> Void = {}
    public var afterLoad: () throws -> Void = {}
    /// Nil where there is one network.
    public var several: Several?
    /// What happens outside of the run, on other threads.
    public var events: EventLog
    /// Lets somebody end the run.
    public var stopping: StopRequest

    public init(
        limits: Limits = Limits(),
        everyNs: Int = 1_000_000_000,
        firstRound: Int = 0,
        tNs: Int = 0,
        several: Several? = nil,
        events: EventLog = EventLog(),
        stopping: StopRequest = StopRequest(),
        keep: @escaping (Part) throws -> Void = { _ in }
    ) {
        self.limits = limits
        self.keep = keep
        self.everyNs = everyNs
        self.firstRound = firstRound
        self.tNs = tNs
        self.several = several
        self.events = events
        self.stopping = stopping
    }
}

/// How a run ended; both are nil where it ran to its end.
public struct Ending: Equatable, Sendable {
    /// The limit of the job that ended it.
    public var limit: Stop?
    /// The cause that was given with a request to stop.
    public var asked: String?

    public init(limit: Stop? = nil, asked: String? = nil) {
        self.limit = limit
        self.asked = asked
    }
}

/// A request to end a run, which any thread may make; the run looks between two inferences.
public final class StopRequest: Sendable {
    private let first = Locked<String?>(nil)

    public init() {}

    /// Why to stop; nil while nobody has asked.
    public var cause: String? { first.with { $0 } }

    /// Ask a run to end. The first cause stays.
    public func ask(_ cause: String) {
        first.with { if $0 == nil { $0 = cause } }
    }
}

/// The clock does not go forward, so nothing can be timed with it; the message says how.
public struct ClockFailed: Error, Equatable, CustomStringConvertible {
    public let message: String

    public var description: String { message }
}

/// A run failed, and the last part before that could not be kept either.
public struct KeptNothing: Error, CustomStringConvertible {
    /// Why the run failed.
    public let cause: any Error
    /// Why its last part was not kept.
    public let loss: any Error

    public var description: String {
        "\(cause) What was measured before that could not be kept: \(loss)"
    }
}
