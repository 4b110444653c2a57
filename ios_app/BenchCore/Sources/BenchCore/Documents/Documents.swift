import Foundation

/// A job with the document that it was read from.
public struct JobDocument: Sendable {
    public let job: Job
    /// With every default, in the version of this app: what a record says of its job.
    public let tree: JsonObject
    /// Of the bytes of its file; a journal names its job by it.
    public let sha256: String

    /// Read a job of version 1 or 2. Throws `DocumentRefused` as `DocumentKind.read` does.
    public init(_ content: some Collection<UInt8>, _ what: String = "the job") throws {
        let content = Array(content)
        let tree = try DocumentKind.job.read(readJson(content, what), what)
        self.tree = tree
        job = try refusing(what) { try readJob(tree) }
        sha256 = BenchCore.sha256(content)
    }
}

/// The kinds of documents that cross to a device, each with its schema.
public enum DocumentKind: Sendable {
    case job, subject, line, record

    /// Return a document of this kind with the defaults of its schema.
    ///
    /// Throws `DocumentRefused` for an unknown or missing field, a wrong type, a number outside its
    /// range, another version, and for what contradicts itself. `what` names the document.
    public func read(_ document: Json, _ what: String) throws -> JsonObject {
        try refusing(what) { try schema.read(document) }
    }

    private var schema: Schema {
        switch self {
        case .job: Self.jobs
        case .subject: Self.subjects
        case .line: Self.lines
        case .record: Self.records
        }
    }

    private static let jobs = schema("job.v\(jobVersion)")
    private static let subjects = schema("subject.v\(subjectVersion)")
    private static let lines = schema("journal.v\(journalVersion)")
    private static let records = schema("record.v\(recordVersion)")

    private static func schema(_ name: String) -> Schema {
        Schema(resource(name).asObject, DocumentRules())
    }
}

/// Turn a mismatch into the sentence of a refusal.
func refusing<Document>(_ what: String, _ read: () throws -> Document) throws -> Document {
    do {
        return try read()
    } catch let error as Mismatch {
        throw DocumentRefused("\(what) is not valid: \(error.described).")
    }
}

/// Return the JSON that was built into this program under a name.
func resource(_ name: String) -> Json {
    guard let file = Bundle.module.url(forResource: name, withExtension: "json"),
        let content = try? Data(contentsOf: file), let json = try? readJson(Array(content), name)
    else { preconditionFailure("\(name) is not in this build") }
    return json
}
