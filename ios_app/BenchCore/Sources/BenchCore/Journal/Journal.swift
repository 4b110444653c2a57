/// The whole lines of a journal, of which the first starts a measurement.
public struct Journal: Sendable {
    public let lines: [Line]
    /// Bytes of the whole lines: where the next one begins.
    public let bytes: Int
    /// Of these bytes.
    public let sha256: String
    /// What was left out and why, in a sentence; nil where nothing was.
    public let remark: String?

    /// Whether the measurement came to its end, good or bad.
    public var ended: Bool { end != nil }

    public var end: End? { lines.lazy.compactMap(\.end).first }

    /// The start of each process that measured, in order; at least one.
    public var starts: [Start] { lines.compactMap(\.start) }

    /// The first round that did not end.
    public var nextRound: Int { (lines.compactMap(\.roundEnded).max() ?? -1) + 1 }

    /// The latest time that anything in it is of, on the measurement's clock.
    public var lastNs: Int { lines.flatMap(\.timesNs).max() ?? 0 }

    /// Return the measurement's clock at a time in UTC, for a process that goes on then.
    ///
    /// It is later than everything in the journal, whatever the clock on the wall did.
    public func resumedAtNs(_ created: String) -> Int {
        guard let begun = starts.first.flatMap({ Utc($0.created) }), let now = Utc(created) else {
            return lastNs + 1
        }
        return max(lastNs + 1, min(begun.nanoseconds(to: now), largestWhole))
    }
}

extension Line {
    fileprivate var timesNs: [Int] {
        let last = samples.map { $0.tNs[$0.count - 1] + $0.latencyNs[$0.count - 1] }
        return [
            start?.tNs, last, states.last?.tNs, events.last?.tNs, scheduling.last?.tNs,
            power?.readings.last?.tNs,
        ].compactMap { $0 }
    }
}

/// Read the journal of the job with a sha256, up to its last whole line; `what` names it.
///
/// A line that was cut off, is damaged, or has not the next number ends it; the remark says so.
/// Throws `DocumentRefused` for another kind of file, another version, and another job.
public func readJournal(
    _ content: some Collection<UInt8>, jobSha256: String, _ what: String = "the journal"
) throws -> Journal {
    var reader = JournalReader(content: Array(content), what: what)
    try reader.readAll()
    let journal = reader.journal
    guard journal.lines.first?.start != nil else {
        let why = journal.remark.map { " (\($0))" } ?? ""
        throw DocumentRefused(
            "\(what) holds no whole line that starts a measurement\(why), so nothing was measured; "
                + "remove it to begin again."
        )
    }
    if let other = journal.starts.first(where: { $0.jobSha256 != jobSha256 }) {
        throw DocumentRefused(
            "\(what) is of another job: it names sha256 \(other.jobSha256.prefix(12)), and this "
                + "job has \(jobSha256.prefix(12)); remove it to begin again."
        )
    }
    return journal
}

let lineFeed = UInt8(ascii: "\n")

private struct JournalReader {
    let content: [UInt8]
    let what: String
    private var lines: [Line] = []
    private var bytes = 0
    private var clause: String?

    init(content: [UInt8], what: String) {
        self.content = content
        self.what = what
    }

    mutating func readAll() throws {
        while bytes < content.count, clause == nil { try readNext() }
    }

    var journal: Journal {
        Journal(
            lines: lines,
            bytes: bytes,
            sha256: sha256(content[..<bytes]),
            remark: clause.map { "\(what): \($0)." }
        )
    }

    private mutating func readNext() throws {
        guard let end = content[bytes...].firstIndex(of: lineFeed) else {
            clause = "its last line is cut off after \(content.count - bytes) bytes"
            return
        }
        if let mistake = try take(Array(content[bytes..<end])) {
            let left = content[(end + 1)...].count { $0 == lineFeed }
            clause = "\(mistake); \(left) more line\(left == 1 ? "" : "s") left out"
        } else {
            bytes = end + 1
        }
    }

    /// Read a line; return what is wrong with it, in a clause.
    private mutating func take(_ text: [UInt8]) throws -> String? {
        let number = lines.count + 1
        let name = "line \(number) of \(what)"
        let json: Json
        do {
            json = try readJson(text, name)
        } catch let error as DocumentRefused where error.isNotJson {
            return "line \(number) is damaged"
        }
        let (n, line) = try readLine(json, name)
        if n != lines.count { return "line \(number) has the number \(n)" }
        lines.append(line)
        return nil
    }
}
