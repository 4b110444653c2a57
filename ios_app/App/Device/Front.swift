import os

/// Whether the app is in front; the thread that measures asks.
final class Front: Sendable {
    private let state = OSAllocatedUnfairLock(initialState: false)

    var isInFront: Bool {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
