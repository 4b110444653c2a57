/// The page of the work for a server.
public struct ServerScreen: Hashable, Sendable {
    public let title: Phrase
    public let facts: [Fact]
    public let advice: [Phrase]
    public let problem: Phrase?
    /// What a user types; nil where nothing is.
    public let field: Phrase?
    /// The jobs of the server, the newest first.
    public let rows: [Row]
    public let actions: [Action]
}

/// Return the page of the work for a server; `enrolment` is nil where there is none.
public func serverPage(
    _ enrolment: Enrolment?, isOn: Bool, _ status: ServerStatus, _ entries: [QueueEntry],
    notice: Phrase? = nil
) -> ServerScreen {
    let rows = entries.reversed().map(row)
    let problem = notice ?? status.sentence.map { .verbatim($0) }
    guard let enrolment, status.doing != .notEnrolled else {
        return ServerScreen(
            title: .of(.server), facts: [], advice: [.of(.adviceEnrol)], problem: problem,
            field: .of(.serverField), rows: rows, actions: [Action(.enrol, .of(.enrol))])
    }
    var facts = [
        Fact(.serverAddress, enrolment.server),
        Fact(.serverDevice, enrolment.device),
        Fact(.serverDoing, .of(status.doing.key)),
    ]
    if let waitMs = status.waitMs {
        facts.append(Fact(.serverNextTry, duration(waitMs * 1_000_000)))
    }
    return ServerScreen(
        title: .of(.server), facts: facts, advice: [.of(.adviceServer)], problem: problem,
        field: nil, rows: rows, actions: actions(isOn, entries))
}

private func actions(_ isOn: Bool, _ entries: [QueueEntry]) -> [Action] {
    var actions = [Action(isOn ? .switchOff : .switchOn, .of(isOn ? .switchOff : .switchOn))]
    if entries.contains(where: { $0.state == .kept }) {
        actions.append(Action(.sendAgain, .of(.sendAgain)))
    }
    return actions + [Action(.leaveServer, .of(.leaveServer), enabled: !isOn)]
}

private func row(_ entry: QueueEntry) -> Row {
    Row(
        name: entry.folder, title: .verbatim(entry.folder), details: [.of(entry.state.key)],
        problem: entry.sentence.map { .verbatim($0) }, action: nil)
}

extension Doing {
    fileprivate var key: TextKey {
        switch self {
        case .off: .doingOff
        case .asking: .doingAsking
        case .fetching: .doingFetching
        case .waiting: .doingWaiting
        case .measuring: .doingMeasuring
        case .sending: .doingSending
        case .retrying: .doingRetrying
        case .notEnrolled: .doingNotEnrolled
        }
    }
}

extension QueueState {
    fileprivate var key: TextKey {
        switch self {
        case .fetching: .queueFetching
        case .waiting: .queueWaiting
        case .sending: .queueSending
        case .sent: .queueSent
        case .kept: .queueKept
        }
    }
}
