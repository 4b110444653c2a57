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

    @Test func aJournalThatIsALinkIsNotFollowed() throws {
        let folder = try TemporaryFolder()
        let other = try folder.write("model.onnx", "weights".utf8)
        let link = folder.url.appendingPathComponent("journal.jsonl")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: other)
        #expect(throws: JournalFailed.self) {
            try openJournal(link, jobSha256: Example.jobSha256)
        }
        #expect(try String(contentsOf: other, encoding: .utf8) == "weights")
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

        /// Another launch of this test program writes, and is killed in the middle of it.
        @Test func aProcessThatIsKilledHasWhatItWroteAndOnlyThenAnotherGoesOn() throws {
            let folder = try TemporaryFolder()
            let file = try folder.write("journal.jsonl", [])
            let child = Process()
            child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            child.arguments = [
                "--testing-library", "swift-testing", "--filter", "writesUntilKilled",
            ]
            child.environment = ProcessInfo.processInfo.environment
                .merging([Self.toWrite: file.path]) { $1 }
            child.standardOutput = FileHandle.nullDevice
            child.standardError = FileHandle.nullDevice
            try child.run()
            while child.isRunning, try Data(contentsOf: file).count < 20_000 { usleep(1000) }
            let refused = try refusal { _ = try openJournal(file, jobSha256: Example.jobSha256) }
            #expect(refused.contains("Another run"), "\(refused)")
            kill(child.processIdentifier, SIGKILL)
            child.waitUntilExit()

            let opened = try openJournal(file, jobSha256: Example.jobSha256)
            let earlier = try #require(opened.earlier)
            let next = earlier.nextRound
            let again = Example.start(tNs: earlier.lastNs + 1, round: next)
            try opened.writer.add(Line(start: again))
            try opened.writer.close()
            let journal = try readJournal(Data(contentsOf: file), jobSha256: Example.jobSha256)
            #expect(journal.lines.count > 20)
            #expect(journal.remark == nil)
            let outcome = try journal.outcome(Example.readJob().job.benchProtocol)
            guard case .measurement(let measurement) = outcome else {
                throw Refused("nothing was measured")
            }
            #expect(measurement.samples.count == 2 * next)
        }

        private static let toWrite = "MOBILEBENCH_JOURNAL"

        /// What the other launch does until it is killed, or for a minute.
        @Test(.enabled(if: ProcessInfo.processInfo.environment[toWrite] != nil, "of another test"))
        func writesUntilKilled() throws {
            let path = try #require(ProcessInfo.processInfo.environment[Self.toWrite])
            let file = URL(fileURLWithPath: path)
            let writer = try openJournal(file, jobSha256: Example.jobSha256).writer
            try writer.add(Line(start: Example.start()))
            for round in 0..<60_000 {
                let kind: LoadKind = round == 0 ? .first : .warm
                try writer.add(Example.round(round, tNs: 10_000_000 * (round + 1), kind: kind))
                usleep(1000)
            }
        }
    #endif

    @Test func whatIsClosedIsClosedOnce() throws {
        let folder = try TemporaryFolder()
        let file = try OpenFile(folder.url.appendingPathComponent("file").path)
        try file.append([1, 2])
        file.close()
        file.close()
        #expect(throws: OpenFile.Failed.self) { try file.append([3]) }
        let content = try Data(contentsOf: folder.url.appendingPathComponent("file"))
        #expect(Array(content) == [1, 2])
    }

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
