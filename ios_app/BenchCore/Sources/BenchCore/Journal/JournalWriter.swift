import Foundation

/// The journal cannot be written; the message is a sentence for people.
public struct JournalFailed: Error, Hashable, Sendable, CustomStringConvertible {
    public let message: String

    public init(_ message: String) {
        self.message = message
    }

    public var description: String { message }
}

extension JournalFailed: LocalizedError {
    public var errorDescription: String? { message }
}

/// Appends lines to a journal, each at once and as a whole, on a queue of its own.
///
/// The thread that measures only hands lines over. A process that is killed loses no written line:
/// the system has it. The disk is made to hold it after a start, the end of a round and the end,
/// where no sample is taken; what a phone that loses its power has lost is the round that had not
/// ended.
public final class JournalWriter: Sendable {
    private let queue = DispatchQueue(label: "journal", qos: .utility)
    private let state: Locked<State>
    /// Apart from the state, which is in use for as long as the disk takes.
    private let failure = Locked<JournalFailed?>(nil)
    private let name: String

    private struct State {
        let file: OpenFile
        /// Of the next line.
        var number: Int
    }

    init(_ file: OpenFile, name: String, number: Int) {
        state = Locked(State(file: file, number: number))
        self.name = name
    }

    /// Hand a line over. Throws `JournalFailed` where an earlier one could not be written.
    public func add(_ line: Line) throws {
        if let failure = failure.with({ $0 }) { throw failure }
        queue.async { self.write(line) }
    }

    /// Wait until the disk holds every line, before what may end the process.
    ///
    /// Throws `JournalFailed` where a line could not be written.
    public func flush() throws {
        let lost: (any Error)? = queue.sync {
            state.with { state in
                do {
                    try state.file.synchronize()
                    return nil
                } catch {
                    return error
                }
            }
        }
        if let failure = failure.with({ $0 }) { throw failure }
        if let lost { throw JournalFailed("The journal \(name) cannot be written: \(lost).") }
    }

    /// Wait until every line is written, and let go. Throws `JournalFailed` where one was not.
    public func close() throws {
        queue.sync { state.with { $0.file.close() } }
        if let failure = failure.with({ $0 }) { throw failure }
    }

    private func write(_ line: Line) {
        // After a line that failed, a later one would have the wrong number.
        if failure.with({ $0 }) != nil { return }
        state.with { state in
            do {
                try append(line, &state)
            } catch {
                let failed = JournalFailed(
                    "The journal \(name) cannot be written: \(error); it keeps its \(state.number) "
                        + "lines so far."
                )
                failure.with { $0 = failed }
            }
        }
    }

    private func append(_ line: Line, _ state: inout State) throws {
        try state.file.append(Array((line.json(number: state.number).text + "\n").utf8))
        state.number += 1
        if line.start != nil || line.roundEnded != nil || line.end != nil {
            try state.file.synchronize()
        }
    }
}
