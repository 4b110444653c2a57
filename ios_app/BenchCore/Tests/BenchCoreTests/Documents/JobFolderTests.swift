import Foundation
import Testing

@testable import BenchCore

@Suite struct JobFolderTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func given() throws -> JobFolder {
        try Example.writeJobFolder(folder.url)
        return try readJobFolder(folder.url)
    }

    @Test func aFolderThatIsWholeIsTaken() throws {
        let given = try given()
        try given.requireFiles()
        #expect(given.journalFile.lastPathComponent == "journal.jsonl")
        #expect(given.subject.part("model").text("name") == "example")
    }

    @Test func aFileThatIsLostOrAnotherOneIsNamed() throws {
        let given = try given()
        try folder.write("model.onnx", Example.model + [0])
        let other = try refusal { try given.requireFiles() }
        #expect(other.contains("model.onnx is not the file of the job"), "\(other)")
        try FileManager.default.removeItem(at: given.modelFile)
        let lost = try refusal { try given.requireFiles() }
        #expect(lost.contains("has lost model.onnx"), "\(lost)")
    }

    @Test func aLinkOutOfTheFolderIsRefused() throws {
        let given = try given()
        let outside = try TemporaryFolder()
        let target = try outside.write("elsewhere", Example.model)
        try FileManager.default.removeItem(at: given.modelFile)
        try FileManager.default.createSymbolicLink(at: given.modelFile, withDestinationURL: target)
        #expect(try refusal { try given.requireFiles() }.contains("leads out of"))
    }

    @Test(arguments: ["log", "model.onnx.data"])
    func aJournalOrWeightsBehindALinkOutOfTheFolderAreRefused(_ link: String) throws {
        let more = #", "reporting": {"journal_file": "log/a.jsonl"}"#
        try Example.writeJobFolder(folder.url, job: Example.jobText(more))
        let outside = try TemporaryFolder()
        let given = try readJobFolder(folder.url)
        try FileManager.default.createSymbolicLink(
            at: given.file(link), withDestinationURL: outside.url)
        #expect(try refusal { try given.requireFiles() }.contains("leads out of"))
    }

    @Test func aFolderWithoutAJobOrAboutAnotherFileIsRefused() throws {
        func refused() throws -> String { try refusal { _ = try readJobFolder(folder.url) } }
        #expect(try refused().contains("holds no job.json"))
        try Example.writeJobFolder(folder.url)
        let other = String(repeating: "00", count: 32)
        let subject = try folder.write("subject.json", Example.subjectText(other).utf8)
        #expect(try refused().contains("about another file"))
        try FileManager.default.removeItem(at: subject)
        #expect(try refused().contains("holds no subject.json"))
    }

    @Test(arguments: ["job.json", "subject.json", "record.json", "model.onnx"])
    func aJournalNeverWritesOverAnotherFileOfTheJob(_ name: String) throws {
        let more = ", \"reporting\": {\"journal_file\": \"\(name)\"}"
        try Example.writeJobFolder(folder.url, job: Example.jobText(more))
        let refused = try refusal { _ = try readJobFolder(folder.url) }
        #expect(refused.contains("journal_file is \(name), and \(name) has that place"))
    }

    @Test func aJobWithoutEndIsNotReadIntoTheMemory() throws {
        try Example.writeJobFolder(folder.url)
        let job = try FileHandle(forWritingTo: folder.url.appendingPathComponent("job.json"))
        try job.truncate(atOffset: 17 << 20)
        try job.close()
        #expect(try refusal { _ = try readJobFolder(folder.url) }.contains("larger than 16 MB"))
    }

    @Test func weightsBesideAFileBelongToIt() throws {
        let file = try folder.write("m.onnx", "net".utf8)
        #expect(try contentSha256(file) == sha256("net".utf8))
        try folder.write("m.onnx.data", "weights".utf8)
        #expect(try contentSha256(file) == sha256("netweights".utf8))
    }

    @Test func theSha256OfAFolderIsOverItsFilesInTheOrderOfTheirParts() throws {
        let order = [
            ("B", "5"), ("a/b", "1"), ("a/\u{FB33}", "3"), ("a/\u{1F600}", ""), ("a-b", "22"),
        ]
        for (name, content) in order { try folder.write("m.mlpackage/\(name)", content.utf8) }
        let whole = order.map { "\($0)\u{0}\($1.utf8.count)\u{0}\($1)" }.joined()
        let model = folder.url.appendingPathComponent("m.mlpackage")
        #expect(try contentSha256(model) == sha256(whole.utf8))
    }

    @Test func whatTheDeviceLacksIsNamed() throws {
        let job = try Example.readJob(", \"upload_url\": \"https://lab.example\"").job
        var able = Abilities(runtimes: ["coreml"], computeUnits: [.gpu])
        #expect(able.lacks(job)?.contains("the runtime onnxruntime") == true)
        able.runtimes.append("onnxruntime")
        #expect(able.lacks(job)?.contains("the compute unit cpu") == true)
        able.computeUnits.append(.cpu)
        #expect(able.lacks(job)?.contains("upload") == true)
        able.uploads = true
        #expect(able.lacks(job) == nil)
    }
}
