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

    @Test func aJobThatIsDoneIsNotMeasuredAgain() throws {
        let folder = try writeJob()
        _ = try run(folder)
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
