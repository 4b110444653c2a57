import Foundation
import Testing

@testable import BenchCore

@Suite struct JournalWriterTests {
    @Test func linesStandInTheFileInTheirOrderEachAsAWhole() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent("journal.jsonl")
        let writer = try openJournal(file, jobSha256: Example.jobSha256).writer
        try writer.add(Line(start: Example.start()))
        for round in 0..<200 { try writer.add(Example.round(round, tNs: 10_000_000 * (round + 1))) }
        try writer.close()
        let journal = try readJournal(Data(contentsOf: file), jobSha256: Example.jobSha256)
        #expect(journal.lines.count == 201)
        #expect(journal.lines.compactMap(\.roundEnded) == Array(0..<200))
    }

    #if os(Linux)
        /// The system has a disk that is always full.
        @Test func aFullDiskIsToldAtTheNextLineAndAtTheEnd() throws {
            let writer = JournalWriter(try OpenFile("/dev/full"), name: "journal.jsonl", number: 0)
            let failed = try thrown(JournalFailed.self) {
                while true { try writer.add(Line(start: Example.start())) }
            }
            #expect(failed.message.contains("No space left"), "\(failed)")
            #expect(throws: JournalFailed.self) { try writer.close() }
        }
    #endif

    @Test func aJournalThatCannotBeMadeIsToldInASentence() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent("lost/journal.jsonl")
        let failed = try thrown(JournalFailed.self) {
            _ = try openJournal(file, jobSha256: Example.jobSha256)
        }
        #expect(failed.message.hasSuffix("."), "\(failed)")
        #expect(failed.message.contains("journal.jsonl"), "\(failed)")
    }
}
