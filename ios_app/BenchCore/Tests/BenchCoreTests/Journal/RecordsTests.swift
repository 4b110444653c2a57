import Foundation
import Testing

@testable import BenchCore

@Suite struct RecordsTests {
    private let folder: TemporaryFolder
    private let given: JobFolder
    private let round = Example.round(0, tNs: 10_000_000, kind: .first)

    init() throws {
        folder = try TemporaryFolder()
        try Example.writeJobFolder(folder.url)
        given = try readJobFolder(folder.url)
    }

    private func record(_ lines: [Line], crash: Failure? = nil) throws -> JsonObject {
        let journal = try readJournal(Example.journal(lines), jobSha256: Example.jobSha256)
        let provenance = Provenance(harnessVersion: "1.0", transport: "files")
        return try recordOf(given, journal, provenance, crash: crash)
    }

    @Test func halfAnHourAt30FramesASecondHasLessThan2MbAndIsReadAgain() throws {
        let end = Line(end: End(after: DeviceState(tNs: 1_800_000_000_000)))
        let lines = [Line(start: Example.start())] + (0..<1800).map(second) + [end]
        let record = try record(lines)
        let text = record.text
        #expect(text.utf8.count < 2_000_000)
        let read = try readJson(text)
        let outcome = try DocumentKind.record.read(read, "the record").part("outcome")
        let measurement = try readMeasurement(outcome)
        #expect(measurement.samples.count == 54_000)
        #expect(measurement.samples.phase.count { $0 == .measured } == 53_970)
        #expect(measurement.samples.width.count { $0 == 0.5 } == 26_970)
        #expect(read.canonical == record.canonical)
    }

    /// A second at 30 frames, with a reading.
    private func second(_ second: Int) -> Line {
        let frameNs = 33_333_333
        let began = second * 30 * frameNs
        return Line(
            loads: second == 0 ? [Load(kind: .first, ns: 3_000_000)] : [],
            gates: second == 0 ? [GateLog(waitedNs: 0, start: nil, open: false)] : [],
            samples: Samples(
                tNs: (0..<30).map { began + $0 * frameNs },
                latencyNs: (0..<30).map { 12_345_678 + (second * 31 + $0 * 17) % 9_999 },
                phase: Array(repeating: second == 0 ? .warmUp : .measured, count: 30),
                round: Array(repeating: 0, count: 30),
                width: Array(repeating: second > 900 ? 0.5 : 1, count: 30)
            ),
            states: [DeviceState(tNs: began, thermal: .fair, batteryFraction: 0.93)],
            peakBytes: 180_000_000
        )
    }

    @Test func theRecordHoldsTheJobAndWhatTheSubjectSaysAsTheyCame() throws {
        let record = try record([Line(start: Example.start()), round])
        #expect(record["artifact"] == given.subject["artifact"])
        #expect(record["job"] == .object(given.document.tree))
        #expect(record.text("created") == "2026-01-02T03:04:05.678Z")
        #expect(record.text("record_id").count == 32)
        let outcome = record.part("outcome")
        #expect(outcome.text("validity") == "suspect")
        #expect(outcome.texts("reasons").contains("cut off"))
        _ = try DocumentKind.record.read(.object(record), "the record")
    }

    @Test func aProcessThatCrashedBeforeItMeasuredHasTheFailureThatWasSeenOutside() throws {
        let crash = Failure(stage: .load, error: "Crash", message: "signal 11")
        let record = try record([Line(start: Example.start())], crash: crash)
        #expect(record.part("outcome").text("message") == "signal 11")
        _ = try DocumentKind.record.read(.object(record), "the record")
    }

    @Test func aSignedRecordThatWasChangedIsRefused() throws {
        let record = try record([Line(start: Example.start()), round])
        let keys = HashKeys()
        #expect(try requireIntact(record, "it", check: keys) == .unsigned)
        #expect(try signed(record, by: nil) == record)
        let text = try signed(record, by: keys).text
        let read = try readJson(text).asObject
        #expect(try requireIntact(read, "it", check: keys) == .signed)
        #expect(try requireIntact(read, "it", check: nil) == .unchecked)
        #expect(try signed(read, by: keys) == read)
        let spoilt = [
            text.replacingOccurrences(of: "12000000", with: "12000001"),
            text.replacingOccurrences(of: "\"value\":\"", with: "\"value\":\"00"),
            text.replacingOccurrences(of: "\"public_key\":\"", with: "\"public_key\":\"zz"),
            text.replacingOccurrences(of: "ed25519-jcs", with: "ed25519"),
        ]
        for text in spoilt {
            let other = try readJson(text).asObject
            #expect(other != read)
            let refused = try refusal { _ = try requireIntact(other, "it", check: keys) }
            #expect(refused.contains("signature"), "\(refused)")
        }
    }
}

/// Signs with a hash, so that every system can; the conformance check signs with Ed25519.
private struct HashKeys: Signer, SignatureCheck {
    let publicKey = [UInt8](repeating: 7, count: 32)

    func sign(_ message: [UInt8]) -> [UInt8] {
        Array(sha256(publicKey + message).utf8)
    }

    func matches(_ signature: [UInt8], over message: [UInt8], by key: [UInt8]) -> Bool {
        key == publicKey && signature == sign(message)
    }
}
