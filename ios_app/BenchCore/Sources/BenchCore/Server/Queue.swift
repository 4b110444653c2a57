import Foundation

/// Where a job of the server stands on this device.
public enum QueueState: String, CaseIterable, Sendable {
    /// Its files are on their way.
    case fetching
    /// It is here whole, and waits to be measured or is being measured.
    case waiting
    /// Its record, or why there is none, waits to be sent.
    case sending
    /// The server has its record, or knows why there is none.
    case sent
    /// The server does not take its record, which stays here.
    case kept
}

/// A job of the server on this device.
public struct QueueEntry: Hashable, Sendable {
    public let lease: String
    public let job: String
    /// The name of its folder among the jobs.
    public let folder: String
    public let files: [ServerFile]
    public let heartbeatS: Int
    public var state = QueueState.fetching
    /// How often a run of it was begun for the server.
    public var starts = 0
    /// Why there is no record, or why the server does not take it.
    public var sentence: String?

    init(_ lease: Lease, folder: String) {
        self.init(
            lease: lease.id, job: lease.job, folder: folder, files: lease.files,
            heartbeatS: lease.heartbeatS)
    }

    init(
        lease: String, job: String, folder: String, files: [ServerFile], heartbeatS: Int
    ) {
        self.lease = lease
        self.job = job
        self.folder = folder
        self.files = files
        self.heartbeatS = heartbeatS
    }
}

private let mostEnded = 20

/// The jobs of the server on this device, in a file that outlives the process.
///
/// At most one of them is under way. Of those that ended, the last ones stay, to be shown.
/// Any thread may use it.
public final class Queue: Sendable {
    private let file: URL
    private let rows: Locked<[QueueEntry]>

    public init(_ file: URL) {
        self.file = file
        rows = Locked(readEntries(file))
    }

    /// All of them, the oldest first.
    public var entries: [QueueEntry] { rows.with { $0 } }

    /// The one that is under way; nil where there is none.
    public var current: QueueEntry? { entries.first { $0.state != .sent && $0.state != .kept } }

    /// Put an entry in place of the one with its lease, or behind all. Throws `NotWritten`.
    public func put(_ entry: QueueEntry) throws {
        try change { rows in
            if let place = rows.firstIndex(where: { $0.lease == entry.lease }) {
                rows[place] = entry
            } else {
                rows.append(entry)
            }
        }
    }

    /// Take an entry out.
    public func remove(_ lease: String) throws {
        try change { $0.removeAll { $0.lease == lease } }
    }

    /// Let go of what is under way: it is of a server that this device has left.
    public func forget() throws {
        try change { $0.removeAll { $0.state != .sent && $0.state != .kept } }
    }

    /// Send again what the server did not take.
    public func sendKeptAgain() throws {
        try change { rows in
            for place in rows.indices where rows[place].state == .kept {
                rows[place].state = .sending
            }
        }
    }

    private func change(_ change: (inout [QueueEntry]) -> Void) throws {
        try rows.with { rows in
            var changed = rows
            change(&changed)
            let old = Set(changed.filter { $0.state == .sent }.dropLast(mostEnded))
            changed.removeAll { old.contains($0) }
            var fields = JsonObject()
            fields.addAlways("jobs", .list(changed.map { .object(json($0)) }))
            do {
                try writeWhole(fields.text, to: file)
            } catch {
                throw NotWritten(
                    "The list of the server's jobs is not written: \(words(of: error))")
            }
            rows = changed
        }
    }
}

private func readEntries(_ file: URL) -> [QueueEntry] {
    guard let content = try? Data(contentsOf: file),
        case .object(let fields) = try? readJson(Array(content), file.lastPathComponent),
        case .list(let rows) = fields["jobs"]
    else { return [] }
    return rows.compactMap(entry)
}

private func json(_ entry: QueueEntry) -> JsonObject {
    var fields = JsonObject()
    fields.add("lease", entry.lease)
    fields.add("job", entry.job)
    fields.add("folder", entry.folder)
    fields.add("files", entry.files) { file in
        var parts = JsonObject()
        parts.add("path", file.path)
        parts.add("sha256", file.sha256)
        parts.add("size_bytes", file.bytes)
        return .object(parts)
    }
    fields.add("heartbeat_s", entry.heartbeatS)
    fields.add("state", entry.state.rawValue)
    fields.add("starts", entry.starts)
    fields.add("sentence", entry.sentence)
    return fields
}

/// Return an entry as it was written; nil where it is of another version.
private func entry(_ value: Json) -> QueueEntry? {
    guard case .object(let fields) = value, case .text(let lease) = fields["lease"],
        case .text(let job) = fields["job"], case .text(let folder) = fields["folder"],
        case .int(let heartbeatS) = fields["heartbeat_s"],
        case .text(let word) = fields["state"], let state = QueueState(rawValue: word)
    else { return nil }
    var files: [ServerFile] = []
    if case .list(let rows) = fields["files"] {
        for row in rows {
            guard case .object(let parts) = row, case .text(let path) = parts["path"],
                case .text(let sha256) = parts["sha256"],
                case .int(let bytes) = parts["size_bytes"]
            else { return nil }
            files.append(ServerFile(path: path, sha256: sha256, bytes: bytes))
        }
    }
    var entry = QueueEntry(
        lease: lease, job: job, folder: folder, files: files, heartbeatS: heartbeatS)
    entry.state = state
    if case .int(let starts) = fields["starts"] { entry.starts = starts }
    if case .text(let sentence) = fields["sentence"] { entry.sentence = sentence }
    return entry
}
