import Foundation

/// Gets files by their hash into a folder, and goes on where an earlier try ended.
///
/// A file has its name, the hash, only when it is whole and has that hash.
public final class Downloads: Sendable {
    let folder: URL
    private let client: ServerClient
    private let received = Locked(0)

    init(_ folder: URL, _ client: ServerClient) {
        self.folder = folder
        self.client = client
    }

    /// Bytes that came over the network, for what is shown.
    public var receivedBytes: Int { received.with { $0 } }

    /// Return the file; get what of it is missing.
    ///
    /// Throws as `ServerClient` does, and `NotWritten` where there is no room.
    func get(_ wanted: ServerFile) async throws -> URL {
        guard wanted.sha256.utf8.count == 64, bytes(hexadecimal: wanted.sha256) != nil else {
            throw ServerRefused(
                status: 0, code: "odd-hash",
                description: "The server names \(wanted.path) by no sha256.")
        }
        let whole = folder.appendingPathComponent(wanted.sha256)
        if isRealFile(whole), fileSize(whole) == wanted.bytes { return whole }
        let part = folder.appendingPathComponent("\(wanted.sha256).part")
        let files = FileManager.default
        try writing(part) {
            try files.createDirectory(at: folder, withIntermediateDirectories: true)
            if fileSize(part) > wanted.bytes { try files.removeItem(at: part) }
            if !isRealFile(part) { try Data().write(to: part) }
        }
        if fileSize(part) < wanted.bytes || wanted.bytes == 0 { try await fetch(wanted, part) }
        try require(wanted, part)
        try writing(whole) { try files.moveItem(at: part, to: whole) }
        return whole
    }

    /// Let go of all files, also of those that are not whole.
    func clear() { try? FileManager.default.removeItem(at: folder) }

    private func fetch(_ wanted: ServerFile, _ part: URL) async throws {
        let begin = fileSize(part)
        let appending = Appending(part, begin: begin, mostBytes: wanted.bytes) { [received] count in
            received.with { $0 += count }
        }
        do {
            try await client.download(wanted.sha256, from: begin, into: appending)
        } catch let error as ServerRefused where error.status == 416 {
            // What lies here is not a part of what the server has.
            try? FileManager.default.removeItem(at: part)
            throw ServerAway(error.description)
        }
        let bytes = fileSize(part)
        guard bytes >= wanted.bytes else {
            throw ServerAway("\(wanted.path) ended after \(bytes) of \(wanted.bytes) bytes.")
        }
    }

    private func require(_ wanted: ServerFile, _ part: URL) throws {
        var digest = Sha256()
        let handle = try FileHandle(forReadingFrom: part)
        defer { try? handle.close() }
        while let piece = try handle.read(upToCount: 1 << 16), !piece.isEmpty {
            digest.update(piece)
        }
        if fileSize(part) == wanted.bytes, hexadecimal(digest.digest()) == wanted.sha256 { return }
        try? FileManager.default.removeItem(at: part)
        throw ServerAway(
            "\(wanted.path) came with other bytes than its hash says; it comes again.")
    }
}

/// Do something with a file. Throws `NotWritten` with what the system says.
private func writing(_ file: URL, _ act: () throws -> Void) throws {
    do {
        try act()
    } catch {
        throw NotWritten("\(file.lastPathComponent) cannot be written: \(words(of: error)).")
    }
}

/// Appends what comes to a file. Used on one queue.
private final class Appending: TakeBody, @unchecked Sendable {
    private let file: URL
    private let begin: Int
    private let mostBytes: Int
    private let received: @Sendable (Int) -> Void
    private var handle: FileHandle?
    private var bytes = 0

    init(
        _ file: URL, begin: Int, mostBytes: Int, received: @escaping @Sendable (Int) -> Void
    ) {
        self.file = file
        self.begin = begin
        self.mostBytes = mostBytes
        self.received = received
    }

    deinit {
        try? handle?.close()
    }

    func begin(_ status: Int, _ headers: [String: String]) throws {
        let goesOn = status == 206
        if goesOn, beginOf(headers) != begin { throw ServerAway("It sent another part.") }
        try writing(file) {
            let handle = try FileHandle(forWritingTo: file)
            self.handle = handle
            if goesOn { try handle.seekToEnd() } else { try handle.truncate(atOffset: 0) }
        }
        bytes = goesOn ? begin : 0
    }

    func more(_ piece: Data) throws {
        bytes += piece.count
        received(piece.count)
        if bytes > mostBytes { throw ServerAway("It sent more than \(mostBytes) bytes.") }
        try writing(file) { try handle?.write(contentsOf: piece) }
    }

    /// Return the byte that a part begins with.
    private func beginOf(_ headers: [String: String]) -> Int? {
        guard let range = headers["content-range"], range.hasPrefix("bytes ") else { return nil }
        return Int(range.dropFirst(6).prefix { $0 != "-" })
    }
}
