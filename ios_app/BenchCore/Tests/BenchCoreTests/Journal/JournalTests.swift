import Foundation
import Testing

@testable import BenchCore

@Suite struct JournalTests {
    private let folder: TemporaryFolder
    private let benchProtocol: BenchProtocol
    private let lines = [
        Line(start: Example.start()),
        Example.round(0, tNs: 10_000_000, kind: .first),
        Example.round(1, tNs: 30_000_000),
        Line(end: End(after: DeviceState(tNs: 90_000_000))),
    ]
    private let whole: [UInt8]
    private let first: Int

    init() throws {
        folder = try TemporaryFolder()
        benchProtocol = try Example.readJob().job.benchProtocol
        whole = Example.journal(lines)
        first = try #require(whole.firstIndex(of: lineFeed)) + 1
    }

    private func read(_ content: some Collection<UInt8>) throws -> Journal {
        try readJournal(content, jobSha256: Example.jobSha256)
    }

    private func measured(_ journal: Journal) throws -> BenchCore.Measurement {
        guard case .measurement(let measurement) = try journal.outcome(benchProtocol) else {
            throw Refused("nothing was measured")
        }
        return measurement
    }

    private func opened(
        _ name: String, _ content: some Sequence<UInt8>
    ) throws -> (URL, OpenJournal) {
        let file = try folder.write(name, content)
        return (file, try openJournal(file, jobSha256: Example.jobSha256))
    }

    @Test func cutAtEveryByteItHoldsTheLinesThatAreWhole() throws {
        for size in 0...whole.count {
            let content = whole[..<size]
            if size < first {
                #expect(throws: DocumentRefused.self) { try read(content) }
                continue
            }
            let journal = try read(content)
            let ends = content.indices.filter { content[$0] == lineFeed }
            #expect(journal.lines.count == ends.count)
            #expect(journal.bytes == ends.last.map { $0 + 1 })
            #expect((journal.remark == nil) == (journal.bytes == size))
            #expect(journal.ended == (ends.count == lines.count))
            #expect(journal.nextRound == max(0, min(ends.count - 1, 2)))
            if ends.count == 1 {
                guard case .failure(let failure) = try journal.outcome(benchProtocol) else {
                    throw Refused("a line without samples was a measurement")
                }
                #expect(failure.error == "CutOff")
            } else {
                let measurement = try measured(journal)
                #expect(measurement.cutOff == !journal.ended)
                #expect(measurement.samples.count == 2 * min(ends.count - 1, 2))
            }
        }
    }

    @Test func aByteThatChangedWithinALineEndsWhatIsReadOrIsRefused() throws {
        for place in stride(from: 0, to: whole.count, by: 7) {
            var changed = whole
            changed[place] = 0
            do {
                let journal = try read(changed)
                #expect(journal.bytes <= place, "at \(place)")
                #expect(journal.remark?.hasPrefix("the journal: line ") == true, "at \(place)")
            } catch is DocumentRefused {
                continue
            }
        }
    }

    @Test func aProcessGoesOnFromWhereverTheOneBeforeWasCutOff() throws {
        for size in [0, first - 1] + stride(from: first, through: whole.count, by: 97) {
            let (file, opened) = try opened("journal-\(size)", whole[..<size])
            let earlier = opened.earlier
            #expect((earlier == nil) == (size < first))
            let tNs = earlier.map { $0.lastNs + 1 } ?? 0
            let round = earlier?.nextRound ?? 0
            try opened.writer.add(Line(start: Example.start(tNs: tNs, round: round)))
            try opened.writer.add(Example.round(round, tNs: tNs + 1, kind: .cold))
            try opened.writer.close()
            let content = try [UInt8](Data(contentsOf: file))
            let later = try read(content)
            #expect(later.remark == nil)
            #expect(later.lines.count == (earlier?.lines.count ?? 0) + 2)
            #expect(content.starts(with: whole[..<(earlier?.bytes ?? 0)]))
            let damaged = try? Data(contentsOf: URL(fileURLWithPath: file.path + ".damaged"))
            #expect(damaged == (earlier?.remark == nil ? nil : Data(whole[..<size])))
        }
    }

    @Test func whatIsNotWholeIsKeptBesideTheJournalAndCutOff() throws {
        var changed = whole
        changed[first] = 0
        let parts = whole.split(separator: lineFeed)
        let lost = Array((parts[..<1] + parts[2...]).joined(separator: [lineFeed])) + [lineFeed]
        for (name, content) in [("changed", changed), ("lost", lost)] {
            let (file, opened) = try opened(name, content)
            try opened.writer.close()
            #expect(opened.earlier?.lines.count == 1)
            #expect(try Data(contentsOf: file) == Data(whole[..<first]))
            let damaged = try Data(contentsOf: URL(fileURLWithPath: file.path + ".damaged"))
            #expect(damaged == Data(content))
        }
    }

    @Test func ofARoundThatHadNotEndedOnlyTheLaterSamplesCount() throws {
        let unended = Example.round(1, tNs: 30_000_000, ended: false)
        let again = Line(start: Example.start(tNs: 60_000_000, round: 1))
        let later = Example.round(1, tNs: 70_000_000, kind: .cold)
        let outcome = try measured(read(Example.journal(lines[..<2] + [unended, again, later])))
        #expect(outcome.samples.tNs == [10_000_000, 12_000_000, 70_000_000, 72_000_000])
        #expect(outcome.gates.count == 2)
        #expect(outcome.states.count == 3)
        #expect(outcome.events.map(\.kind) == [.resumed])
        #expect(outcome.loads.coldNs == [3_000_000])
    }

    @Test func linesWhoseTimesGoBackwardsContradictEachOther() throws {
        let early = Example.round(1, tNs: 5_000_000)
        let journal = try read(Example.journal(lines[..<2] + [early]))
        let refused = try refusal { _ = try journal.outcome(benchProtocol) }
        #expect(refused.contains("order of time"), "\(refused)")
    }

    @Test func theClockOfOneThatGoesOnIsLaterThanEverythingWhateverTheWallClockDid() throws {
        let journal = try read(whole)
        #expect(journal.lastNs == 33_000_002)
        #expect(journal.resumedAtNs("2026-01-02T03:04:04Z") == 33_000_003)
        #expect(journal.resumedAtNs("2026-01-02T03:04:06.678Z") == 1_000_000_000)
        #expect(journal.resumedAtNs("9999-01-02T03:04:06.678Z") == largestWhole)
    }

    @Test func twoRunsDoNotWriteOneJournal() throws {
        let (file, held) = try opened("journal.jsonl", [])
        let refused = try refusal { _ = try openJournal(file, jobSha256: Example.jobSha256) }
        #expect(refused.contains("Another run"), "\(refused)")
        try held.writer.close()
        try openJournal(file, jobSha256: Example.jobSha256).writer.close()
    }
}
