import Foundation

/// What one step came to.
public enum StepKind: String, CaseIterable, Sendable {
    /// The server has no job for this device.
    case idle
    /// A job is here whole.
    case fetched
    /// A job has to be measured now, while the lease is kept.
    case ready
    /// The lease of a job that was not begun expired, so it is left to others.
    case dropped
    /// The server has the record.
    case sent
    /// The server knows why there is no record.
    case givenBack = "given back"
    /// The server does not take the record; it stays here.
    case kept
}

/// What one step came to, and for which job.
public struct Step: Sendable {
    public let kind: StepKind
    public var entry: QueueEntry?
    public var sentence: String?
}

/// Takes the jobs of a server from the first byte to the record, one step at a time.
///
/// All that counts lies on the disk before the next step, so a process that ends loses a step at
/// most. Times of leases are the server's alone: this asks whether a lease holds, and never
/// compares clocks. Used by one task.
public struct ServerWork: Sendable {
    private let client: ServerClient
    public let queue: Queue
    private let jobs: URL
    private let limits: JobLimits
    private let waitS: Int
    public let downloads: Downloads

    public init(
        _ client: ServerClient, _ queue: Queue, jobs: URL, limits: JobLimits = JobLimits(),
        waitS: Int = 25
    ) {
        self.client = client
        self.queue = queue
        self.jobs = jobs
        self.limits = limits
        self.waitS = waitS
        downloads = Downloads(
            jobs.appendingPathComponent(".fetched", isDirectory: true), client)
    }

    /// Do what comes next. Throws as `ServerClient` does, and `NotWritten`.
    public func step() async throws -> Step {
        guard let entry = queue.current else { return try await next() }
        switch entry.state {
        case .fetching: return try await fetch(entry)
        case .waiting: return try await look(entry)
        case .sending: return try await send(entry)
        case .sent, .kept: preconditionFailure("it is not under way")
        }
    }

    /// Write down that a run begins for the server.
    public func begins(_ entry: QueueEntry) throws {
        var begun = entry
        begun.starts += 1
        try queue.put(begun)
    }

    private func next() async throws -> Step {
        guard let lease = try await client.next(waitS: waitS) else { return Step(kind: .idle) }
        let entry = QueueEntry(lease, folder: folderName(lease))
        try queue.put(entry)
        return try await fetch(entry, isFresh: true)
    }

    private func fetch(_ entry: QueueEntry, isFresh: Bool = false) async throws -> Step {
        if !isRealFolder(folder(of: entry)) {
            if let problem = tooMuch(entry.files) { return try await refuse(entry, problem) }
            if !isFresh, try await !holds(entry) { return try drop(entry) }
            let keeper = LeaseKeeper(client, entry)
            defer { keeper.close() }
            do {
                try await take(entry)
            } catch let error as ImportRefused {
                return try await refuse(entry, error.description)
            } catch let error as ServerRefused where error.status != unauthorized {
                return try await refuse(entry, error.description)
            }
        }
        var waiting = entry
        waiting.state = .waiting
        try queue.put(waiting)
        downloads.clear()
        return Step(kind: .fetched, entry: waiting)
    }

    private func take(_ entry: QueueEntry) async throws {
        let files = FileManager.default
        for file in entry.files { try requireInside(file.path) }
        var sources: [(String, URL)] = []
        for file in entry.files { sources.append((file.path, try await downloads.get(file))) }
        let whole = downloads.folder.appendingPathComponent("whole", isDirectory: true)
        let folder = whole.appendingPathComponent(entry.folder, isDirectory: true)
        do {
            if isThere(folder) { try files.removeItem(at: folder) }
            for (path, source) in sources {
                let target = folder.appendingPathComponent(path)
                try files.createDirectory(
                    at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
                try files.copyItem(at: source, to: target)
            }
        } catch {
            throw NotWritten("The job cannot be written: \(words(of: error)).")
        }
        _ = try importJob(folder, into: jobs, limits: limits)
    }

    private func requireInside(_ path: String) throws {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let isInside = parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".." && !part.contains("\\")
                && !part.contains("\0")
        }
        if isInside { return }
        throw ImportRefused(
            "The file \(path) leads out of the folder of the job; nothing was taken.")
    }

    /// Say what of a job is too much before a byte of it is fetched.
    private func tooMuch(_ files: [ServerFile]) -> String? {
        if files.contains(where: { $0.bytes < 0 }) {
            return "A file of the job has a size below 0."
        }
        if files.count > limits.mostFiles {
            return "The job has more than \(limits.mostFiles) files."
        }
        let bytes = files.reduce(0) { $0 + min($1.bytes, Int.max / 4_000) }
        if bytes <= limits.mostBytes { return nil }
        return "The job has \(size(bytes)), and this app takes up to \(size(limits.mostBytes))."
    }

    private func look(_ entry: QueueEntry) async throws -> Step {
        let folder = folder(of: entry)
        let job = jobEntry(folder, limits: limits)
        let none = noRecord(of: folder)
        if job.state == .done { return try await sending(entry) }
        if job.state == .faulty { return try await refuse(entry, job.problem ?? "") }
        let isSpent = entry.starts >= mostStarts
        if let none, isSpent || none.why == .refused || none.why == .stopped {
            return try await giveBack(entry, none)
        }
        if isSpent { return try await giveBack(entry, NoRecord(.cutOff, givenUp)) }
        if job.state == .ready, try await !holds(entry) { return try drop(entry) }
        return Step(kind: .ready, entry: entry)
    }

    private func sending(_ entry: QueueEntry) async throws -> Step {
        var sending = entry
        sending.state = .sending
        try queue.put(sending)
        return try await send(sending)
    }

    private func refuse(_ entry: QueueEntry, _ sentence: String) async throws -> Step {
        try await giveBack(entry, NoRecord(.refused, sentence))
    }

    private func giveBack(_ entry: QueueEntry, _ none: NoRecord) async throws -> Step {
        var sending = entry
        sending.sentence = "\(none.why.rawValue): \(none.sentence)"
        return try await self.sending(sending)
    }

    private func send(_ entry: QueueEntry) async throws -> Step {
        let record = folder(of: entry).appendingPathComponent(recordFile)
        return isRealFile(record)
            ? try await send(entry, record) : try await tellWhy(entry)
    }

    private func tellWhy(_ entry: QueueEntry) async throws -> Step {
        let why = entry.sentence ?? ""
        let word = why.range(of: ": ").map { String(why[..<$0.lowerBound]) } ?? why
        let sentence = why.range(of: ": ").map { String(why[$0.upperBound...]) } ?? why
        try await giveUp(entry, word, sentence)
        downloads.clear()
        try put(entry, .sent, entry.sentence)
        return Step(kind: .givenBack, entry: entry, sentence: why)
    }

    /// Give the job back, so that another device has it.
    private func giveUp(_ entry: QueueEntry, _ word: String, _ sentence: String) async throws {
        do {
            try await client.giveBack(entry.lease, word, sentence)
        } catch let error as ServerRefused where error.status != unauthorized {
            // Of a lease that expired, another device has the job already.
            return
        }
    }

    private func send(_ entry: QueueEntry, _ record: URL) async throws -> Step {
        let content: Data
        do {
            content = try Data(contentsOf: record)
        } catch {
            throw NotWritten("The record cannot be read: \(words(of: error)).")
        }
        do {
            let submitted = try await client.submit(Array(content), entry.lease)
            try put(entry, .sent, nil)
            return Step(kind: .sent, entry: entry, sentence: submitted.status)
        } catch let error as ServerRefused where forGood.contains(error.status) {
            try await giveUp(entry, notTaken, error.description)
            try put(entry, .kept, error.description)
            return Step(kind: .kept, entry: entry, sentence: error.description)
        }
    }

    private func put(_ entry: QueueEntry, _ state: QueueState, _ sentence: String?) throws {
        var changed = entry
        changed.state = state
        changed.sentence = sentence
        try queue.put(changed)
    }

    /// Whether the server still keeps the job for this device.
    private func holds(_ entry: QueueEntry) async throws -> Bool {
        do {
            try await client.heartbeat(entry.lease)
            return true
        } catch let error as ServerRefused where error.status == 410 || error.status == 404 {
            return false
        }
    }

    private func drop(_ entry: QueueEntry) throws -> Step {
        try? FileManager.default.removeItem(at: folder(of: entry))
        try queue.remove(entry.lease)
        return Step(kind: .dropped, entry: entry)
    }

    private func folder(of entry: QueueEntry) -> URL {
        jobs.appendingPathComponent(entry.folder, isDirectory: true)
    }
}

/// Name the folder of a job: by the job, and by the lease, which comes once.
private func folderName(_ lease: Lease) -> String {
    let job = String(
        decoding: lease.job.utf8.map { isPlain($0) ? $0 : UInt8(ascii: "-") }.prefix(40),
        as: UTF8.self)
    return "server-\(job)-\(sha256(Array(lease.id.utf8)).prefix(8))"
}

private let unauthorized = 401
private let forGood: Set = [400, 403, 409, 413, 415, 422]
private let notTaken = "record not taken"
private let mostStarts = 3
private let givenUp = "The process ended in each of 3 runs."
