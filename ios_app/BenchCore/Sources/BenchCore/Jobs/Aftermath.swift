import Foundation

/// The mark of a run or a plan whose end nobody has seen yet.
///
/// A file beside the job that says how far it came. It is on the disk before anything that may end
/// the process, so that the next launch can tell what did.
public struct RunningMark: Sendable {
    private let file: URL

    /// Write down that a run of a job, or a plan, begins; `end` or `aftermath` takes it back.
    ///
    /// What is known of the run before no longer counts.
    public static func begin(_ folder: URL, isPlan: Bool = false) throws -> RunningMark {
        let mark = RunningMark(file: folder.appendingPathComponent(runningFile))
        try Data("\(isPlan ? planWord : Reached.nothing.rawValue)\n".utf8).write(to: mark.file)
        try? FileManager.default.removeItem(at: folder.appendingPathComponent(noRecordFile))
        return mark
    }

    /// Where a handler of signals appends its line; it has to be open before.
    public var path: String { file.path }

    /// Write down how far the run has come.
    public func reached(_ reached: Reached) {
        append("\(reached.rawValue)\n")
    }

    /// Take back what `begin` wrote: the run came to its end, with a record or without.
    public func end(_ none: NoRecord? = nil) {
        if let none { tell(file.deletingLastPathComponent(), none) }
        try? FileManager.default.removeItem(at: file)
    }

    private func append(_ line: String) {
        guard let handle = try? FileHandle(forWritingTo: file) else { return }
        defer { try? handle.close() }
        _ = try? handle.seekToEnd()
        try? handle.write(contentsOf: Data(line.utf8))
        try? handle.synchronize()
    }
}

private let planWord = "plan"

/// What a handler of signals writes before the number of the signal, and a line feed.
public let crashPrefix = "signal "

/// What a mark says of a run whose process is gone.
struct Seen: Equatable {
    var isPlan = false
    var reached = Reached.nothing
    var exit = Exit.unknown

    init(_ text: String) {
        for line in text.split(separator: "\n") {
            if line == planWord { isPlan = true }
            if let reached = Reached(rawValue: String(line)) { self.reached = reached }
            if line.hasPrefix(crashPrefix), let signal = Int(line.dropFirst(crashPrefix.count)) {
                exit = .crashed(signal: signal)
            }
        }
    }
}

/// What a run left whose process ended before it.
public enum Left: Sendable {
    /// A record, with the failure or with what was measured until then.
    case record
    /// A journal that another run can go on with.
    case journal
    /// Nothing: the process ended before it could write anything.
    case nothing
    /// An empty plan: asking again would end the app again.
    case plan
}

/// How a run ended whose process is gone, and what it left.
public struct Aftermath: Sendable {
    public let failure: Failure
    public let left: Left
}

/// Settle a run whose process is gone; nil where the run had come to its end.
///
/// A crash becomes the record of the job: it would come again. After any other end the journal
/// stays as it is, another run can go on, and `noRecordFile` says why there is no record. Throws `DocumentRefused` for a folder that cannot be
/// read, `JournalFailed` where the record cannot be written.
public func aftermath(
    _ folder: URL, osBuild: String, _ provenance: Provenance, signer: (any Signer)? = nil
) throws -> Aftermath? {
    let mark = folder.appendingPathComponent(runningFile)
    guard isRealFile(mark) else { return nil }
    defer { try? FileManager.default.removeItem(at: mark) }
    let seen = Seen((try? String(contentsOf: mark, encoding: .utf8)) ?? "")
    let left: Aftermath?
    do {
        left = try settled(readJobFolder(folder), seen, osBuild, provenance, signer)
    } catch {
        // The mark goes, so that this has to tell it from a job that never began.
        tell(folder, NoRecord(error))
        throw error
    }
    if let left, left.left != .record { tell(folder, NoRecord(.cutOff, left.failure.message)) }
    return left
}

private func settled(
    _ given: JobFolder, _ seen: Seen, _ osBuild: String, _ provenance: Provenance,
    _ signer: (any Signer)?
) throws -> Aftermath? {
    let failure = failure(of: seen.exit, seen.reached)
    if seen.isPlan {
        let plan = Plan(
            modelSha256: given.job.modelSha256, entry: given.job.variants.first?.entry,
            unit: given.job.computeUnit, osBuild: osBuild, endedApp: true, operations: [])
        try? keepPlan(plan, in: given.folder)
        return Aftermath(failure: failure, left: .plan)
    }
    guard let content = try? journalContent(given.journalFile),
        let journal = try? readJournal(content, jobSha256: given.document.sha256)
    else { return Aftermath(failure: failure, left: .nothing) }
    if journal.ended {
        if !isRealFile(given.recordFile) { try writeRecord(given, provenance, signer: signer) }
        return nil
    }
    if seen.exit == .unknown { return Aftermath(failure: failure, left: .journal) }
    try writeRecord(given, provenance, signer: signer, crash: failure)
    return Aftermath(failure: failure, left: .record)
}

/// The jobs whose run or plan had no end that anybody saw.
public func unsettled(in jobs: URL) -> [URL] {
    folders(in: jobs).filter { isRealFile($0.appendingPathComponent(runningFile)) }
}
