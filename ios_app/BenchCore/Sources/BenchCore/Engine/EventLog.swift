/// What happens while a run measures, in the order of time.
///
/// Any thread may add to it: the scene that goes to the background, a charger that is pulled. The
/// run puts the events on its clock and gives them away with its parts. Of what came before the run
/// began, only what still lasts counts, at the run's beginning: the app in the background, the
/// screen off, a call.
public final class EventLog: Sendable {
    private let log = Locked(Log())

    public init() {}

    /// Add an event that happens now.
    public func add(_ kind: EventKind, readings: [String: Double] = [:], note: String? = nil) {
        log.with { $0.add(kind, readings, note) }
    }

    /// Begin a run, with a clock that shows the time of its measurement.
    func begin(clock: @escaping @Sendable () -> Int) {
        log.with { $0.begin(clock) }
    }

    /// Add an event with its time, or with that of the event before where that is later.
    func put(_ event: Event) {
        log.with { $0.put(event) }
    }

    /// Return the events since the last time, and forget them.
    func take() -> [Event] {
        log.with { $0.take() }
    }
}

/// The events, for one thread at a time.
private struct Log {
    private var events: [Event] = []

    /// What keeps the app from being in front now, in the order in which it began.
    private var lasting: [EventKind] = []
    private var clock: (@Sendable () -> Int)?
    private var lastNs = 0

    mutating func add(_ kind: EventKind, _ readings: [String: Double], _ note: String?) {
        if let clock { put(Event(tNs: clock(), kind: kind, readings: readings, note: note)) }
        last(kind)
    }

    mutating func begin(_ clock: @escaping @Sendable () -> Int) {
        self.clock = clock
        lastNs = 0
        events = []
        for kind in lasting { put(Event(tNs: clock(), kind: kind)) }
    }

    mutating func put(_ event: Event) {
        lastNs = max(lastNs, event.tNs)
        var event = event
        event.tNs = lastNs
        events.append(event)
    }

    mutating func take() -> [Event] {
        defer { events = [] }
        return events
    }

    private mutating func last(_ kind: EventKind) {
        switch kind {
        case .background, .screenOff, .call:
            if !lasting.contains(kind) { lasting.append(kind) }
        case .foreground: lasting.removeAll { $0 == .background || $0 == .call }
        case .screenOn: lasting.removeAll { $0 == .screenOff }
        default: break
        }
    }
}
