import Foundation

/// What the app shows of a record.
public struct PastResult: Sendable {
    /// Name of the job's folder.
    public let name: String
    /// UTC.
    public let created: String
    public let model: String
    public let format: Format
    public let precision: String
    public let device: String
    public let os: String
    /// Nil where the export had failed already.
    public let job: Job?
    public let outcome: Outcome
    public let valid: Bool
    /// Diagnoses as the record has them, the most serious first.
    public let reasons: [String]
}

/// One entry of the history: a result, or what is wrong with its record.
public struct HistoryEntry: Sendable {
    public let name: String
    public let result: PastResult?
    public let problem: String?
}

private let mostRecordBytes = 64_000_000

/// Return the results in the folders of jobs, the newest first, and unreadable ones at the end.
public func history(in jobs: URL) -> [HistoryEntry] {
    let done = folders(in: jobs).filter { isRealFile($0.appendingPathComponent(recordFile)) }
    let entries = done.map(historyEntry)
    let read = entries.filter { $0.result != nil }
        .sorted { ($0.result?.created ?? "") > ($1.result?.created ?? "") }
    return read + entries.filter { $0.result == nil }
}

/// Return the result in a job's folder, or what is wrong with its record.
public func historyEntry(_ folder: URL) -> HistoryEntry {
    let name = folder.lastPathComponent
    let file = folder.appendingPathComponent(recordFile)
    do {
        if fileSize(file) > mostRecordBytes {
            throw DocumentRefused("\(recordFile) is too large to be a record.")
        }
        let result = try readPastResult(name, Data(contentsOf: file))
        return HistoryEntry(name: name, result: result, problem: nil)
    } catch {
        return HistoryEntry(name: name, result: nil, problem: words(of: error))
    }
}

/// Read what the app shows of a record. Throws `DocumentRefused` as `DocumentKind.read` does.
func readPastResult(_ name: String, _ content: Data) throws -> PastResult {
    let record = try DocumentKind.record.read(readJson(Array(content), recordFile), recordFile)
    return try refusing(recordFile) { try pastResult(name, record) }
}

private func pastResult(_ name: String, _ record: JsonObject) throws -> PastResult {
    let recipe = record.part("recipe")
    let device = record.part("device")
    let outcome = record.part("outcome")
    let hasFailed = outcome.text("kind") == "failure"
    return PastResult(
        name: name,
        created: record.text("created"),
        model: record.part("model").text("name"),
        format: try recipe.word("format"),
        precision: recipe.text("precision"),
        device: device.text("model"),
        os: "\(device.text("os")) \(device.text("os_version"))",
        job: try record.partOrNil("job").map(readJob),
        outcome: hasFailed
            ? .failure(try readFailure(outcome)) : .measurement(try readMeasurement(outcome)),
        valid: hasFailed || outcome.text("validity") == "valid",
        reasons: hasFailed ? [] : outcome.texts("reasons"))
}
