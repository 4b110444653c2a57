import BenchCore
import Foundation
import os

/// Hands what a run tells over to the screen, without ever holding the run up.
final class RunFeed: RunObserver {
    private struct Waiting {
        var parts: [Part] = []
        var stage = RunStage.checkingFiles
        var isNoted = false
    }

    private let waiting = OSAllocatedUnfairLock(initialState: Waiting())
    private let mark: RunningMark
    private let job: String
    private let noted: @Sendable () -> Void
    private let changed: @Sendable () -> Void

    /// `noted` is called once, with the first part; `changed` when the stage changes.
    init(
        _ mark: RunningMark, _ job: String, noted: @escaping @Sendable () -> Void,
        changed: @escaping @Sendable () -> Void
    ) {
        self.mark = mark
        self.job = job
        self.noted = noted
        self.changed = changed
    }

    var stage: RunStage { waiting.withLock { $0.stage } }

    func stage(_ stage: RunStage) {
        // The end is shown when the record is written.
        if stage == .ended || stage == .failed { return }
        end(stage)
    }

    func reached(_ reached: Reached) {
        mark.reached(reached)
        say(job, reached.rawValue)
    }

    func part(_ part: Part) {
        let isFirst = waiting.withLock { waiting in
            waiting.parts.append(part)
            defer { waiting.isNoted = true }
            return !waiting.isNoted
        }
        if isFirst { noted() }
    }

    /// Show the last stage.
    func end(_ stage: RunStage) {
        waiting.withLock { $0.stage = stage }
        changed()
    }

    /// Return the parts since the last call.
    func takeParts() -> [Part] {
        waiting.withLock { waiting in
            defer { waiting.parts = [] }
            return waiting.parts
        }
    }
}

/// Write a line that a cable shows, and that stays where a runtime ends the process.
func say(_ job: String, _ what: String) {
    FileHandle.standardError.write(Data("mobilebench: \(job): \(what)\n".utf8))
}
