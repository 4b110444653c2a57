import Foundation

/// What the work for a server is doing, to be shown.
public enum Doing: String, CaseIterable, Sendable {
    /// The user has it switched off.
    case off
    /// Waits for a job, or asks for one.
    case asking = "asking for a job"
    /// Files of a job are on their way.
    case fetching
    /// Waits until the app may measure.
    case waiting = "waiting to measure"
    case measuring
    case sending
    /// The last try failed; another one comes by itself.
    case retrying = "trying again"
    /// The server no longer knows the token.
    case notEnrolled = "not enrolled"
}

/// What is shown of the work for a server.
public struct ServerStatus: Hashable, Sendable {
    public var doing: Doing
    /// What went wrong, in a sentence; nil where nothing did.
    public var sentence: String?
    /// How long until the next try.
    public var waitMs: Int?

    public init(_ doing: Doing, _ sentence: String? = nil, waitMs: Int? = nil) {
        self.doing = doing
        self.sentence = sentence
        self.waitMs = waitMs
    }
}

/// The program around the work: it measures, and shows what goes on.
public protocol ServerHost: Sendable {
    /// Wait until a run may begin; false where it cannot any more.
    func awaitTurn() async -> Bool

    /// Measure a job and return when its run has ended, in whatever way.
    func measure(_ entry: QueueEntry) async

    func show(_ status: ServerStatus) async

    /// Hear what a step came to; return false to stop.
    func stepped(_ step: Step) async -> Bool
}

/// Works for a server until it is switched off: asks, fetches, measures, sends, and asks again.
///
/// Nothing but heartbeats goes over the network while a job is measured. Cancel the task to stop.
public func workForServer(
    _ work: ServerWork, _ client: ServerClient, _ host: some ServerHost
) async {
    var backoff = Backoff()
    while !Task.isCancelled {
        await host.show(ServerStatus(doing(work.queue.current)))
        var asked: Int?
        let sentence: String
        do {
            let step = try await work.step()
            backoff.reset()
            let goesOn = await host.stepped(step)
            if !goesOn { break }
            // Some server or proxy may answer at once that there is nothing.
            if step.kind == .idle { try? await Task.sleep(nanoseconds: betweenAsksNs) }
            if step.kind == .ready, let entry = step.entry {
                if try await !measure(entry, work, client, host) { break }
            }
            continue
        } catch let error as ServerAway {
            asked = error.askedMs
            sentence = error.description
        } catch let error as ServerRefused where error.status == 401 {
            await host.show(ServerStatus(.notEnrolled, error.description))
            return
        } catch {
            sentence = words(of: error)
        }
        if Task.isCancelled { break }
        let waitMs = backoff.nextMs(askedMs: asked)
        await host.show(ServerStatus(.retrying, sentence, waitMs: waitMs))
        try? await Task.sleep(nanoseconds: UInt64(waitMs) * 1_000_000)
    }
    await host.show(ServerStatus(.off))
}

private let betweenAsksNs: UInt64 = 1_000_000_000

private func doing(_ entry: QueueEntry?) -> Doing {
    switch entry?.state {
    case .fetching: .fetching
    case .waiting: .waiting
    case .sending: .sending
    default: .asking
    }
}

/// Measure a job while its lease is kept; return false where it cannot be measured any more.
private func measure(
    _ entry: QueueEntry, _ work: ServerWork, _ client: ServerClient, _ host: some ServerHost
) async throws -> Bool {
    let keeper = LeaseKeeper(client, entry)
    defer { keeper.close() }
    await host.show(ServerStatus(.waiting))
    guard await host.awaitTurn() else { return false }
    try work.begins(entry)
    await host.show(ServerStatus(.measuring))
    await host.measure(entry)
    return true
}
