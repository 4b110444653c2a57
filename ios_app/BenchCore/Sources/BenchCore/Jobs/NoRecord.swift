import Foundation

/// Says why a run left no record: a word, and a sentence in the line below.
public let noRecordFile = "no-record.txt"

/// Why there is no record of a run.
public enum Why: String, Sendable {
    /// The job cannot be done here; nothing was measured.
    case refused
    /// It was stopped; another run goes on.
    case stopped
    /// Its process ended before it; another run goes on.
    case cutOff = "cut off"
    /// The journal or the record could not be written; another run goes on.
    case notWritten = "not written"
}

/// How a run ended that left no record.
public struct NoRecord: Hashable, Sendable {
    public let why: Why
    public let sentence: String

    public init(_ why: Why, _ sentence: String) {
        self.why = why
        self.sentence = sentence
    }

    /// Say what kept a run from its record.
    public init(_ error: any Error) {
        self.init(error is JournalFailed ? .notWritten : .refused, words(of: error))
    }
}

/// Tell whoever looks into a job's folder why there is no record.
///
/// Where nothing can be written, it is not told: the folder then lacks a journal as well.
public func tell(_ folder: URL, _ none: NoRecord) {
    let sentence = none.sentence.split(whereSeparator: \.isNewline).joined(separator: " ")
    try? Data("\(none.why.rawValue)\n\(sentence)\n".utf8)
        .write(to: folder.appendingPathComponent(noRecordFile), options: .atomic)
}

/// Return what the last run told of having left no record; nil where it told nothing.
public func noRecord(of folder: URL) -> NoRecord? {
    let file = folder.appendingPathComponent(noRecordFile)
    guard isRealFile(file), let text = try? String(contentsOf: file, encoding: .utf8) else {
        return nil
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let why = lines.first.flatMap({ Why(rawValue: String($0)) }) else { return nil }
    return NoRecord(why, lines.count > 1 ? String(lines[1]) : "")
}
