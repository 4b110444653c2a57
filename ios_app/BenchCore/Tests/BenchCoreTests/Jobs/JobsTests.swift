import Foundation
import Testing

@testable import BenchCore

private let maker = Provenance(harnessVersion: "1", transport: "app")

@Suite struct JobsTests {
    /// A folder of jobs with one in it.
    private func jobsWith(_ name: String = "one") throws -> (jobs: URL, job: URL) {
        let jobs = try newFolder()
        let job = jobs.appendingPathComponent(name, isDirectory: true)
        try FileManager.default.moveItem(at: writeJob(), to: job)
        return (jobs, job)
    }

    private func write(_ text: String, _ folder: URL, _ name: String) throws {
        try Data(text.utf8).write(to: folder.appendingPathComponent(name))
    }

    @Test func aJobIsListedWithWhereItStands() throws {
        let (folder, job) = try jobsWith()
        #expect(jobs(in: folder).map(\.state) == [.ready])
        try write("", job, "journal.jsonl")
        #expect(jobEntry(job).state == .cutOff)
        try write("{}", job, recordFile)
        #expect(jobEntry(job).state == .done)
        #expect(history(in: folder).map { $0.problem == nil } == [false])
    }

    @Test func aLostFileAndAnUnknownFieldAreNamed() throws {
        let (_, job) = try jobsWith()
        try FileManager.default.removeItem(at: job.appendingPathComponent("model.onnx"))
        #expect(jobEntry(job).problem?.contains("model.onnx") == true)
        let other = try writeJob(fields: #", "surprise": 1"#)
        #expect(jobEntry(other).state == .faulty)
        #expect(jobEntry(other).problem?.contains("surprise") == true)
    }

    @Test func aJobThatIsTooLargeOrTooLongIsRefusedWithTheLimit() throws {
        let (_, job) = try jobsWith()
        var limits = JobLimits()
        limits.mostFiles = 2
        #expect(jobEntry(job, limits: limits).problem?.contains("2 files") == true)
        limits = JobLimits()
        limits.mostNs = 1
        #expect(jobEntry(job, limits: limits).problem?.contains("1 ns") == true)
    }

    @Test(arguments: ["", #", "limits": {"time_ns": 1000000000}"#])
    func aWaitBetweenFramesCountsWhichNoLimitOfTimeCutsOff(_ limits: String) throws {
        let folder = try writeJob(fields: limits)
        let file = folder.appendingPathComponent(jobFile)
        let text = try String(contentsOf: file, encoding: .utf8).replacingOccurrences(
            of: #""inferences":"#, with: #""interval_ns": 14400000000000, "inferences":"#)
        try write(text, folder, jobFile)
        #expect(try #require(jobEntry(folder).problem).contains("up to 180 min"))
    }

    @Test(arguments: [65, 9_007_199_254_740_991])
    func moreThreadsThanLibrariesBearAreRefused(_ threads: Int) throws {
        let folder = try writeJob(fields: #", "threads": \#(threads)"#)
        let problem = try #require(jobEntry(folder).problem)
        #expect(problem.contains("\(threads) threads") && problem.contains("up to 64"))
    }

    @Test func aRunWhoseFolderCannotBeReadAnyMoreIsNotOneThatNeverBegan() throws {
        let (folder, job) = try jobsWith()
        _ = try RunningMark.begin(job)
        try write("{", job, jobFile)
        #expect(throws: DocumentRefused.self) { try aftermath(job, osBuild: "22A1", maker) }
        #expect(try told(job).hasPrefix("refused\n"))
        #expect(unsettled(in: folder).isEmpty)
    }

    @Test(arguments: ["", ".", "..", "a/b", ".hidden", "ä", "a b"])
    func aNameThatCouldLeadOutOfTheFolderIsNone(name: String) throws {
        let (folder, _) = try jobsWith()
        #expect(!isJobName(name))
        #expect(jobFolder(folder, name) == nil)
    }

    @Test func aKeyFitsOnlyWhereTheSameOneLiesThere() throws {
        let (_, job) = try jobsWith()
        let key = "0123456789abcdef"
        #expect(!keyFits(job, key))
        try write(key + "\n", job, runKeyFile)
        #expect(keyFits(job, key))
        #expect(!keyFits(job, key + "0"))
        #expect(!keyFits(job, nil))
        try write("short", job, runKeyFile)
        #expect(!keyFits(job, "short"))
    }

    @Test func anImportedJobBeginsAnew() throws {
        let source = try writeJob()
        for name in ["journal.jsonl", recordFile, runKeyFile, planFile, noRecordFile] {
            try write("from elsewhere", source, name)
        }
        let target = try importJob(source, into: newFolder())
        #expect(jobEntry(target).state == .ready)
        for name in ["journal.jsonl", recordFile, runKeyFile, planFile, noRecordFile] {
            let path = target.appendingPathComponent(name).path
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func aJournalDoesNotComeInUnderTheNameThatTheJobGivesIt() throws {
        let source = try writeJob(fields: #", "reporting": {"journal_file": "log/all.jsonl"}"#)
        let log = source.appendingPathComponent("log", isDirectory: true)
        try FileManager.default.createDirectory(at: log, withIntermediateDirectories: true)
        try write("{}\n", log, "all.jsonl")
        let target = try importJob(source, into: newFolder())
        #expect(jobEntry(target).state == .ready)
    }

    @Test(arguments: ["running", "RUN.KEY", "no-record.txt", "plan.json", "record.json/a"])
    func aFileOfTheJobThatARunWouldWriteOverIsNamed(_ name: String) throws {
        let folder = try writeJob(fields: #", "reporting": {"journal_file": "\#(name)"}"#)
        #expect(jobEntry(folder).state == .faulty)
        #expect(jobEntry(folder).problem?.contains(name) == true)
    }

    @Test func aRefusalStaysInTheFolderAsAWordAndOneSentence() throws {
        let folder = try writeJob()
        let mark = try RunningMark.begin(folder)
        mark.end(NoRecord(Refused("It has no GPU;\nname another unit.")))
        #expect(try told(folder) == "refused\nIt has no GPU; name another unit.\n")
        #expect(!FileManager.default.fileExists(atPath: mark.path))
        #expect(NoRecord(JournalFailed("full")) == NoRecord(.notWritten, "full"))
        _ = try RunningMark.begin(folder)
        #expect(throws: (any Error).self) { try told(folder) }
    }

    private func told(_ folder: URL) throws -> String {
        try String(contentsOf: folder.appendingPathComponent(noRecordFile), encoding: .utf8)
    }

    @Test func aJournalWithoutEndDoesNotFillTheMemory() throws {
        let (_, job) = try jobsWith()
        let journal = job.appendingPathComponent("journal.jsonl")
        try write("", job, "journal.jsonl")
        try FileHandle(forWritingTo: journal).truncate(atOffset: 1 << 33)
        let place = PlayedPlace()
        let refused = try thrown(DocumentRefused.self) {
            _ = try JobRun(readJobFolder(job), PlayedRuntime(place), place).run()
        }
        #expect("\(refused)".contains("remove it"))
        _ = try RunningMark.begin(job)
        #expect(try aftermath(job, osBuild: "22A1", maker)?.left == .nothing)
        #expect(try told(job).hasPrefix("cut off\n"))
    }

    @Test func whatIsNoJobLeavesNothingBehind() throws {
        let source = try newFolder()
        let folder = try newFolder()
        try write("hello", source, "notes.txt")
        #expect(throws: ImportRefused.self) { try importJob(source, into: folder) }
        try FileManager.default.createSymbolicLink(
            at: source.appendingPathComponent("link"),
            withDestinationURL: URL(fileURLWithPath: "/etc/hostname"))
        #expect(throws: ImportRefused.self) { try importJob(source, into: folder) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func aPlanIsThatOfItsModelItsUnitAndItsBuildAlone() throws {
        let (_, folder) = try jobsWith()
        let job = try readJobFolder(folder).job
        let operation = PlacedOperation(
            name: "a", kind: "conv", unit: .npu, possible: [.cpu, .npu], cost: 0.5)
        try keepPlan(
            Plan(
                modelSha256: job.modelSha256, entry: nil, unit: .cpu, osBuild: "22A1",
                operations: [operation]),
            in: folder)
        #expect(keptPlan(in: folder, job, osBuild: "22A1")?.placement == [operation])
        #expect(keptPlan(in: folder, job, osBuild: "22B2") == nil)
        var other = job
        other.computeUnit = .npu
        #expect(keptPlan(in: folder, other, osBuild: "22A1") == nil)
    }

    @Test func aCrashBecomesTheRecordWithTheStageThatWasReached() throws {
        let (folder, job) = try jobsWith()
        let place = PlayedPlace()
        let runtime = PlayedRuntime(place)
        let stopping = StopRequest()
        runtime.beforeRun = { if $0 == 2 { stopping.ask("the process is gone") } }
        _ = try JobRun(readJobFolder(job), runtime, place, stopping: stopping).run()
        let mark = try RunningMark.begin(job)
        mark.reached(.loading)
        try append("\(crashPrefix)06\n", to: mark.path)
        #expect(unsettled(in: folder).count == 1)
        let settled = try aftermath(job, osBuild: "22A1", maker)
        let left = try #require(settled)
        #expect(left.left == .record)
        #expect(left.failure.stage == .load)
        #expect(left.failure.message.contains("signal 6"))
        // A record needs no word why there is none.
        #expect(throws: (any Error).self) { try told(job) }
        #expect(jobEntry(job).state == .done)
        #expect(unsettled(in: folder).isEmpty)
    }

    @Test func anEndThatNobodyExplainsLeavesTheJournalToGoOnWith() throws {
        let (_, job) = try jobsWith()
        let place = PlayedPlace()
        let stopping = StopRequest()
        stopping.ask("gone")
        _ = try JobRun(readJobFolder(job), PlayedRuntime(place), place, stopping: stopping).run()
        try RunningMark.begin(job).reached(.measuring)
        let settled = try aftermath(job, osBuild: "22A1", maker)
        let left = try #require(settled)
        #expect(left.left == .journal)
        #expect(left.failure.error == "CutOff")
        #expect(try told(job) == "cut off\n\(left.failure.message)\n")
        #expect(jobEntry(job).state == .cutOff)
    }

    @Test func aRunThatEndedBeforeItsRecordWasWrittenGetsIt() throws {
        let (_, job) = try jobsWith()
        let place = PlayedPlace()
        _ = try JobRun(readJobFolder(job), PlayedRuntime(place), place).run()
        _ = try RunningMark.begin(job)
        #expect(try aftermath(job, osBuild: "22A1", maker) == nil)
        #expect(jobEntry(job).state == .done)
        #expect(historyEntry(job).problem == nil)
    }

    @Test func aPlanThatEndedTheAppIsNotAskedForAgain() throws {
        let (_, folder) = try jobsWith()
        _ = try RunningMark.begin(folder, isPlan: true)
        let left = try aftermath(folder, osBuild: "22A1", maker)
        #expect(left?.left == .plan)
        let job = try readJobFolder(folder).job
        #expect(keptPlan(in: folder, job, osBuild: "22A1")?.endedApp == true)
        #expect(keptPlan(in: folder, job, osBuild: "22A1")?.placement == nil)
    }

    @Test func aRunThatCameToItsEndNeedsNoSettling() throws {
        let (folder, job) = try jobsWith()
        let mark = try RunningMark.begin(job)
        mark.end()
        #expect(try aftermath(job, osBuild: "22A1", maker) == nil)
        #expect(unsettled(in: folder).isEmpty)
    }

    private func append(_ text: String, to path: String) throws {
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }
}
