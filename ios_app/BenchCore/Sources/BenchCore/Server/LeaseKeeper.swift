import Foundation

/// Tells the server, in a task of low priority, that a job is still worked on.
///
/// A request is a few hundred bytes every few seconds. A lease that expires ends this, and nothing
/// else: what is measured is kept and sent.
public final class LeaseKeeper: Sendable {
    private let seen = Locked(Seen())
    private let task: Task<Void, Never>

    private struct Seen {
        var beats = 0
        var isLost = false
    }

    /// How many requests the server answered well.
    public var beats: Int { seen.with { $0.beats } }

    /// Whether the lease expired.
    public var isLost: Bool { seen.with { $0.isLost } }

    public init(_ client: ServerClient, _ entry: QueueEntry) {
        let seen = seen
        let (lease, everyMs) = (entry.lease, entry.heartbeatS * 1_000)
        task = Task.detached(priority: .background) {
            var backoff = Backoff()
            var waitMs = everyMs
            while true {
                try? await Task.sleep(nanoseconds: UInt64(waitMs) * 1_000_000)
                if Task.isCancelled { return }
                do {
                    try await client.heartbeat(lease)
                    seen.with { $0.beats += 1 }
                    backoff.reset()
                    waitMs = everyMs
                } catch let error as ServerAway {
                    let againMs = backoff.nextMs(askedMs: error.askedMs)
                    waitMs = error.askedMs == nil ? min(againMs, everyMs) : againMs
                } catch {
                    seen.with { $0.isLost = true }
                    return
                }
            }
        }
    }

    /// Stop; a request that is under way is given up.
    public func close() { task.cancel() }
}
