import Foundation

private let mostBytes = 256 << 20

/// Read a journal as it lies there. Throws `DocumentRefused` where it is larger than any.
public func journalContent(_ file: URL) throws -> Data {
    try requireSize(fileSize(file), file)
    return try Data(contentsOf: file)
}

private func requireSize(_ bytes: Int, _ file: URL) throws {
    if bytes <= mostBytes { return }
    throw DocumentRefused(
        "The journal \(file.lastPathComponent) has \(bytes) bytes, and no run of this app writes "
            + "more than \(mostBytes); remove it to begin again.")
}

/// A journal to write on, with what an earlier process left in it; nil where it is new.
public struct OpenJournal: Sendable {
    public let earlier: Journal?
    public let writer: JournalWriter
}

/// Open the journal of a job behind its last whole line, and keep other processes from it.
///
/// What is not whole is kept beside it under `NAME.damaged`, and cut off. Throws `DocumentRefused`
/// for what `readJournal` refuses and where another process writes it, `JournalFailed` where it
/// cannot be written.
public func openJournal(_ file: URL, jobSha256: String) throws -> OpenJournal {
    let name = file.lastPathComponent
    return try failing(name) {
        let open = try OpenFile(file.path)
        guard try open.lock() else {
            throw DocumentRefused("Another run writes the journal \(name) now; wait for its end.")
        }
        return try opened(open, file, jobSha256)
    }
}

private func failing<Result>(_ name: String, _ work: () throws -> Result) throws -> Result {
    do {
        return try work()
    } catch let refusal as DocumentRefused {
        throw refusal
    } catch {
        throw JournalFailed("The journal \(name) cannot be written: \(error).")
    }
}

private func opened(_ open: OpenFile, _ file: URL, _ jobSha256: String) throws -> OpenJournal {
    let name = file.lastPathComponent
    try requireSize(open.size(), file)
    let content = try open.content()
    // Without a line feed nothing was measured.
    let earlier = content.contains(lineFeed)
        ? try readJournal(content, jobSha256: jobSha256, "the journal \(name)") : nil
    if earlier?.remark != nil {
        try Data(content).write(to: URL(fileURLWithPath: file.path + ".damaged"))
    }
    try open.truncate(to: earlier?.bytes ?? 0)
    let writer = JournalWriter(open, name: name, number: earlier?.lines.count ?? 0)
    return OpenJournal(earlier: earlier, writer: writer)
}
