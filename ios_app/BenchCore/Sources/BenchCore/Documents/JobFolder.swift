import Foundation

public let jobFile = "job.json"
public let subjectFile = "subject.json"
public let recordFile = "record.json"

private let mostBytes = 16 << 20

/// A folder with a job, the files that it names, and what the model is.
public struct JobFolder: Sendable {
    public let folder: URL
    public let document: JobDocument
    /// What a record says of its model, recipe and artifact; passed on as it came.
    public let subject: JsonObject

    public init(folder: URL, document: JobDocument, subject: JsonObject) {
        self.folder = folder
        self.document = document
        self.subject = subject
    }

    public var job: Job { document.job }
    public var modelName: String { subject.part("model").text("name") }
    public var modelFile: URL { file(job.modelFile) }
    public var journalFile: URL { file(job.reporting.journalFile) }
    public var recordFile: URL { file(BenchCore.recordFile) }

    /// Return the file of a name that the job holds.
    public func file(_ name: String) -> URL { folder.appendingPathComponent(name) }

    /// Require that the files are those that the job names, and that no link leads out of the
    /// folder, also from the journal. Throws `DocumentRefused`.
    public func requireFiles() throws {
        try requireWithin(job.reporting.journalFile)
        let place = folder.lastPathComponent
        for (name, sha256) in job.files.sorted(by: { $0.key < $1.key }) {
            let file = file(name)
            guard FileManager.default.fileExists(atPath: file.path) else {
                throw DocumentRefused(
                    "\(place) has lost \(name), a file of its job; copy it again."
                )
            }
            // The weights of an ONNX file may lie beside it.
            for each in [name, "\(name).data"] { try requireWithin(each) }
            let actual = try hash(of: file)
            if actual == sha256 { continue }
            throw DocumentRefused(
                "\(name) is not the file of the job: it has sha256 \(actual.prefix(12)), the job "
                    + "names \(sha256.prefix(12)); copy it again."
            )
        }
        try requireBatches()
    }

    private func requireBatches() throws {
        guard let check = job.parity else { return }
        try BenchCore.requireBatches(file(check.inputsFile), job.inputs, count: check.batches)
        try BenchCore.requireBatches(
            file(check.expectedFile), check.outputs.map(\.tensor), count: check.batches)
    }

    private func requireWithin(_ name: String) throws {
        let inside = folder.resolvingSymlinksInPath().pathComponents
        var place = folder
        // Part by part: of what does not exist yet, the system does not follow links before it.
        for part in name.split(separator: "/") {
            place.appendPathComponent(String(part))
            guard isThere(place) else { return }
            if place.resolvingSymlinksInPath().pathComponents.starts(with: inside) { continue }
            throw DocumentRefused(
                "\(name) is a link that leads out of \(folder.lastPathComponent); copy the file "
                    + "itself."
            )
        }
    }

    private func hash(of file: URL) throws -> String {
        do {
            return try contentSha256(file)
        } catch {
            throw DocumentRefused(
                "\(file.lastPathComponent) cannot be read: \(error.localizedDescription)"
            )
        }
    }
}

/// Read the folder of a job; its files are not looked at.
///
/// Throws `DocumentRefused` for a job or a subject that this app cannot read, one without the
/// other, and a subject of another file.
public func readJobFolder(_ folder: URL) throws -> JobFolder {
    let name = folder.lastPathComponent
    let document = try JobDocument(content(folder, jobFile), "the \(jobFile) of \(name)")
    let what = "the \(subjectFile) of \(name)"
    let subject = try readJson(content(folder, subjectFile), what)
    let about = try DocumentKind.subject.read(subject, what).part("artifact").text("sha256")
    guard about == document.job.modelSha256 else {
        throw DocumentRefused(
            "\(what) is about another file: it names sha256 \(about.prefix(12)), and the job "
                + "\(document.job.modelSha256.prefix(12))."
        )
    }
    return JobFolder(folder: folder, document: document, subject: subject.asObject)
}

private func content(_ folder: URL, _ name: String) throws -> [UInt8] {
    let file = folder.appendingPathComponent(name)
    let within = folder.lastPathComponent
    guard isFile(file) else {
        throw DocumentRefused("\(within) holds no \(name), so it is not the folder of a job.")
    }
    let content: Data
    do {
        content = try Data(contentsOf: file, options: .mappedIfSafe)
    } catch {
        throw DocumentRefused("\(name) of \(within) cannot be read: \(error.localizedDescription)")
    }
    guard content.count <= mostBytes else {
        throw DocumentRefused("\(name) of \(within) is larger than \(mostBytes >> 20) MB.")
    }
    return Array(content)
}
