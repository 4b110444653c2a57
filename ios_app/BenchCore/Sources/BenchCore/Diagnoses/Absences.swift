/// A time in which the app was not the one in front of a screen that is on.
public struct Absence: Hashable, Sendable {
    public var fromNs: Int
    /// Nil where it lasts to the end.
    public var toNs: Int?

    public init(fromNs: Int, toNs: Int?) {
        self.fromNs = fromNs
        self.toNs = toNs
    }
}

/// Return when the app was away, by the events and the scheduling of a record.
///
/// Absences are in the order of time.
/// An absence begins with an event of the background, of a screen that goes off, or of a call, or
/// where the system says that the app is not in front or the screen is off. It ends where events
/// and scheduling say that nothing of this lasts; a call ends when the app is in front again. Where
/// no event told of it, it began when the app was last known to be in front. A record with an
/// absence is `not in front`.
public func absences(events: [Event], scheduling: [Scheduling]) -> [Absence] {
    var away = Away()
    var absences: [Absence] = []
    var fromNs = 0
    var inFrontNs = 0
    for change in changes(events, scheduling) {
        let before = away.isAway
        away.take(change)
        if away.isAway && !before { fromNs = change.isEvent ? change.tNs : inFrontNs }
        if before && !away.isAway { absences.append(Absence(fromNs: fromNs, toNs: change.tNs)) }
        if !away.isAway && change.tells { inFrontNs = change.tNs }
    }
    if away.isAway { absences.append(Absence(fromNs: fromNs, toNs: nil)) }
    return absences
}

private enum Change {
    case event(Event)
    case scheduling(Scheduling)

    var tNs: Int {
        switch self {
        case .event(let event): event.tNs
        case .scheduling(let scheduling): scheduling.tNs
        }
    }

    var isEvent: Bool {
        if case .event = self { true } else { false }
    }

    /// Whether it tells that the app is in front, unless something else does not.
    var tells: Bool {
        switch self {
        case .event(let event): event.kind == .foreground
        case .scheduling(let scheduling): scheduling.foreground == true
        }
    }
}

/// Return both in the order of time, and at one time the events first.
private func changes(_ events: [Event], _ scheduling: [Scheduling]) -> [Change] {
    let all = events.map(Change.event) + scheduling.map(Change.scheduling)
    // Swift does not promise that equal times keep their order.
    return all.enumerated()
        .sorted { ($0.element.tNs, $0.offset) < ($1.element.tNs, $1.offset) }
        .map(\.element)
}

/// What keeps the app from being in front of a screen that is on.
private struct Away {
    private var isBehind = false
    private var isDark = false
    private var isInCall = false

    var isAway: Bool { isBehind || isDark || isInCall }

    mutating func take(_ change: Change) {
        switch change {
        case .event(let event): take(event.kind)
        case .scheduling(let scheduling):
            // What is not known changes nothing.
            if let foreground = scheduling.foreground { isBehind = !foreground }
            if let screenOn = scheduling.screenOn { isDark = !screenOn }
        }
    }

    private mutating func take(_ kind: EventKind) {
        switch kind {
        case .background: isBehind = true
        case .foreground:
            isBehind = false
            isInCall = false
        case .screenOff: isDark = true
        case .screenOn: isDark = false
        case .call: isInCall = true
        default: break
        }
    }
}

/// The rounds of a measurement, and those that are void: the app was away for a part of them.
public struct VoidRounds: Hashable, Sendable {
    /// The numbers of the void rounds, from 0.
    public var numbers: [Int]
    /// How many rounds have a measured sample.
    public var rounds: Int

    public init(numbers: [Int], rounds: Int) {
        self.numbers = numbers
        self.rounds = rounds
    }

    /// What to tell people; nil where no round is void.
    public var sentence: String? {
        if numbers.isEmpty { return nil }
        let verb = numbers.count == 1 ? "is" : "are"
        let noun = rounds == 1 ? "round" : "rounds"
        return "\(numbers.count) of \(rounds) \(noun) \(verb) void: the app was not in front, or "
            + "the screen was off."
    }
}

/// Return which rounds are void: an absence overlaps with the time of their inferences.
///
/// The warm-up counts too, since it sets the clocks that the round is measured at.
public func voidRounds(_ samples: Samples, _ absences: [Absence]) -> VoidRounds {
    var rounds: [Int: Span] = [:]
    for at in samples.tNs.indices {
        var span = rounds[samples.round[at]] ?? Span(beginNs: samples.tNs[at])
        span.endNs = samples.tNs[at] + samples.latencyNs[at]
        if samples.phase[at] == .measured { span.isMeasured = true }
        rounds[samples.round[at]] = span
    }
    let measured = rounds.filter(\.value.isMeasured)
    let void = measured.filter { absences.contains(where: $0.value.overlaps) }
    return VoidRounds(numbers: void.keys.sorted(), rounds: measured.count)
}

/// From the first inference of a round to the end of its last.
private struct Span {
    let beginNs: Int
    var endNs = 0
    var isMeasured = false

    func overlaps(_ absence: Absence) -> Bool {
        absence.fromNs <= endNs && (absence.toNs ?? .max) >= beginNs
    }
}
