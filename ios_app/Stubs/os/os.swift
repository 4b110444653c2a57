// The system's locks and its answers about memory.

public func os_proc_available_memory() -> Int { fatalError() }

/// swift: https://developer.apple.com/documentation/os/osallocatedunfairlock
@available(iOS 16.0, *)
public struct OSAllocatedUnfairLock<State>: @unchecked Sendable {
    public init(uncheckedState initialState: State) { fatalError() }
    public func withLock<R>(
        _ body: @Sendable (inout State) throws -> R
    ) rethrows -> R where R: Sendable { fatalError() }
}

@available(iOS 16.0, *)
extension OSAllocatedUnfairLock where State: Sendable {
    /// swift: https://developer.apple.com/documentation/os/osallocatedunfairlock/init(initialstate:)
    public init(initialState: State) { fatalError() }
}
