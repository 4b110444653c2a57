import Foundation
import Testing

@testable import BenchCore

@Suite struct JobRunTests {
    private let place = PlayedPlace()
    private let runtime: PlayedRuntime

    init() {
        runtime = PlayedRuntime(place)
    }

    private func run(_ folder: URL, _ runtime: PlayedRuntime? = nil) throws -> Failure? {
        try JobRun(readJobFolder(folder), runtime ?? self.runtime, place).run()
    }

    @Test func aWholeJobLeavesWhatTheContractAsksFor() throws {
        let folder = try writeJob()
        #expect(try run(folder) == nil)
        let measured = try measurement(in: folder)
        #expect(measured.samples.phase.count { $0 == .measured } == 6)
        #expect(measured.loads.firstNs == 7_000_000)
        #expect(measured.loads.warmNs.count == 2)
        #expect(measured.parity.map(\.passed) == [true])
        #expect(measured.gates.count == 2)
        #expect(measured.runtime.computeUnitEvidence == .confirmed)
        #expect(measured.runtime.settings == ["spinning": "0"])
        #expect(measured.memory.peakBytes == 60_000_000)
        // At the start, after each round, at the end.
        #expect(measured.scheduling.count == 4)
        #expect(!measured.cutOff)
    }

    @Test func aModelThatWasCompiledNowIsAFirstEverLoad() throws {
        let folder = try writeJob()
        runtime.isFirstEver = true
        #expect(try run(folder) == nil)
        let loads = try measurement(in: folder).loads
        #expect(loads.firstEverNs == 7_000_000)
        #expect(loads.warmNs.count == 2)
    }

    @Test func theRecordOfAJobIsOneByItsSchema() throws {
        let folder = try writeJob()
        _ = try run(folder)
        let file = try writeRecord(
            readJobFolder(folder), Provenance(harnessVersion: "1", transport: "app"), signer: nil)
        let tree = try readJson(Array(Data(contentsOf: file)), "the record")
        let record = try DocumentKind.record.read(tree, "the record")
        #expect(record.part("model").text("name") == "test")
        #expect(historyEntry(folder).result?.model == "test")
    }

    @Test func aModelThatFailsWhileItIsMeasuredLeavesAFailureWithWhatCameBefore() throws {
        let folder = try writeJob()
        runtime.beforeRun = { if $0 == 6 { throw ModelFailed("the unit went away") } }
        let failure = try #require(try run(folder))
        #expect(failure.stage == .run)
        #expect(failure.error == "ModelFailed")
        #expect(failure.message == "the unit went away")
        #expect(try journal(in: folder).lines.reduce(0) { $0 + ($1.samples?.count ?? 0) } == 4)
    }

    @Test func aModelThatCannotBeLoadedFailsAtTheLoad() throws {
        let folder = try writeJob()
        runtime.beforeLoad = { throw ModelFailed("it does not compile") }
        #expect(try run(folder)?.stage == .load)
    }

    @Test func aRunThatIsStoppedCanBeGoneOnWithAndItsFirstLoadIsColdThen() throws {
        let folder = try writeJob()
        let stopping = StopRequest()
        runtime.beforeRun = { if $0 == 8 { stopping.ask("the user") } }
        let stopped = try JobRun(readJobFolder(folder), runtime, place, stopping: stopping).run()
        #expect(stopped == nil)
        #expect(try journal(in: folder).ended == false)
        #expect(try journal(in: folder).nextRound == 1)

        let later = PlayedPlace()
        _ = try JobRun(readJobFolder(folder), PlayedRuntime(later), later).run()
        let measured = try measurement(in: folder)
        #expect(measured.samples.phase.count { $0 == .measured } == 6)
        #expect(measured.loads.coldNs.count == 1)
        #expect(measured.events.map(\.kind) == [.resumed])
    }

    @Test func theTimeOfALoadIsThatOfTheLibraryAlone() throws {
        let folder = try writeJob()
        let slow = SlowDisk(place)
        runtime.closeNs = 5_000_000
        _ = try JobRun(readJobFolder(folder), runtime, place, observer: slow).run()
        let loads = try measurement(in: folder).loads
        #expect(loads.warmNs == [7_000_000, 7_000_000])
        // The check, its cpu apart, and one load for each round: each is told before and after.
        #expect(slow.count == 6)
    }

    @Test func withoutAPolicyThatChoosesTheModelFileAloneIsLoaded() throws {
        let modelSha256 = sha256(Array("a model".utf8))
        let variants = [1.0, 0.5].map {
            """
            {"name": "w\($0)", "model_file": "model.onnx", "model_sha256": "\(modelSha256)",
            "width": \($0), "entry": "width=\($0)"}
            """
        }
        let fields = #", "variants": [\#(variants.joined(separator: ", "))]"#
        let folder = try writeJob(fields: fields)
        #expect(try run(folder) == nil)
        // The check, and one load for each round.
        #expect(runtime.loaded.map(\.entry) == [nil, nil, nil])
    }

    @Test func aJobThatLacksOnlyItsRecordGetsItAndIsNotMeasuredAgain() throws {
        let folder = try writeJob()
        runtime.beforeRun = { if $0 == 6 { throw ModelFailed("the unit went away") } }
        let failure = try run(folder)
        let journal = folder.appendingPathComponent("journal.jsonl")
        let content = try Data(contentsOf: journal)
        #expect(try run(folder) == failure)
        #expect(try Data(contentsOf: journal) == content)
    }

    @Test func aJobThatAsksForAnUploadIsRefused() throws {
        let folder = try writeJob(fields: #", "upload_url": "https://example.org/jobs""#)
        let refused = try thrown(Refused.self) { _ = try run(folder) }
        #expect(refused.message.contains("asks for an upload"))
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/journal.jsonl"))
    }

    @Test(arguments: [2, 2_147_483_647, 9_007_199_254_740_991])
    func batchesOfAnotherSizeAreRefusedBeforeAnythingIsWritten(_ batches: Int) throws {
        let folder = try writeJob()
        let job = folder.appendingPathComponent(jobFile)
        let text = try String(contentsOf: job, encoding: .utf8)
        try Data(text.replacingOccurrences(of: #""batches": 1"#, with: #""batches": \#(batches)"#).utf8)
            .write(to: job)
        let refused = try thrown(DocumentRefused.self) { _ = try run(folder) }
        #expect("\(refused)".contains("\(batches) batches"))
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/journal.jsonl"))
    }

    @Test func aJobThatIsDoneIsNotMeasuredAgain() throws {
        let folder = try writeJob()
        _ = try run(folder)
        try writeRecord(
            readJobFolder(folder), Provenance(harnessVersion: "1", transport: "app"), signer: nil)
        #expect(throws: Refused.self) { try run(folder) }
    }

    @Test func anotherUnitIsCheckedAndTimedBesideTheCpu() throws {
        let npu = PlayedRuntime(place, units: [.cpu: nil, .npu: nil])
        // The check of the CPU and its 12 timed runs come after the check of the unit.
        npu.beforeRun = { if (3...14).contains($0) { place.pass(2_000_000) } }
        let folder = try writeJob(unit: "npu")
        #expect(try run(folder, npu) == nil)
        let measured = try measurement(in: folder)
        #expect(measured.parity.map(\.unit) == [.npu, .cpu])
        #expect(measured.unitTimings.map(\.p50Ns) == [3_000_000])
        #expect(measured.runtime.computeUnitEvidence == .likely)
        #expect(npu.loaded.map(\.unit) == [.npu, .cpu, .npu, .npu])
    }

    @Test func aUnitThatIsNotThereIsRefusedBeforeAnythingIsWritten() throws {
        let folder = try writeJob(unit: "gpu")
        let lacks = PlayedRuntime(place, units: [.gpu: "a simulator has the processor alone"])
        #expect(throws: Refused.self) { try run(folder, lacks) }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/journal.jsonl"))
    }

    @Test func aFileOfAnotherRuntimeIsRefusedBeforeAnythingIsWritten() throws {
        let folder = try writeJob()
        runtime.endings = ["mlpackage", "mlmodel"]
        let refused = try thrown(Refused.self) { _ = try run(folder) }
        #expect(refused.message.contains("for model.onnx, and it takes"))
        #expect(refused.message.contains(".mlpackage or .mlmodel"))
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/journal.jsonl"))
        runtime.endings = ["onnx"]
        #expect(try run(folder) == nil)
    }

    @Test func theJournalIsOnTheDiskBeforeEachLoadAndEachFirstInference() throws {
        let folder = try writeJob()
        let milestones = Milestones()
        runtime.beforeLoad = {
            let starts = try journal(in: folder).starts.count
            #expect(starts == 1)
        }
        _ = try JobRun(readJobFolder(folder), runtime, place, observer: milestones).run()
        #expect(
            milestones.all == [.started, .checking, .loading, .measuring, .loading, .measuring])
    }

    @Test func modelBenchPreparesItsInputsInEachCall() throws {
        let folder = try writeJob()
        _ = try run(folder)
        #expect(runtime.loaded.allSatisfy { !$0.preparesInside })
        var benchProtocol = try readJobFolder(folder).job.benchProtocol
        benchProtocol.id = "modelbench-1"
        #expect(benchProtocol.preparesInside)
    }
}
