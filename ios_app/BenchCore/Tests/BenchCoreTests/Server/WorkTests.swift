import Foundation
import Testing

@testable import BenchCore

private let contents: [(String, [UInt8])] = [
    ("job.json", Array(Example.jobText().utf8)),
    ("subject.json", Array(Example.subjectText().utf8)),
    ("model.onnx", Example.model),
]

/// What a server answers that does as a test says; the real one is in `tests/clients`.
///
/// Used by one task at a time.
private final class Answers: Http, @unchecked Sendable {
    var sent: [HttpRequest] = []
    var lease: String? = "lease-1"
    var files = contents
    var heartbeat = 200
    var record = 201
    var headers: [String: String] = [:]
    var mostBytes = Int.max
    var bodies: [String: [UInt8]] = [:]

    func send(_ request: HttpRequest, into take: (any TakeBody)?) async throws -> HttpAnswer {
        sent.append(request)
        let path = String(request.path.prefix { $0 != "?" })
        if path == "/v1/jobs/next" { return next() }
        if path.hasPrefix("/v1/artifacts/") {
            return try artifact(request, String(path.dropFirst(14)), take)
        }
        if path.hasSuffix("/heartbeat") { return answer(heartbeat, #"{"expires_s": 120}"#) }
        if path.hasSuffix("/done") { return answer(200, #"{"status": "done"}"#) }
        return answer(record, #"{"record_id": "r", "status": "added"}"#)
    }

    private func answer(_ status: Int, _ good: String) -> HttpAnswer {
        let problem =
            #"{"status": \#(status), "code": "word", "detail": "It says \#(status)."}"#
        return HttpAnswer(
            status: status, headers: headers, body: Data((status < 300 ? good : problem).utf8))
    }

    private func next() -> HttpAnswer {
        guard let lease else { return HttpAnswer(status: 204, headers: [:], body: Data()) }
        let rows = files.map { path, content in
            let hash = sha256(content)
            bodies[hash] = bodies[hash] ?? content
            return #""\#(path)": {"sha256": "\#(hash)", "size_bytes": \#(content.count)}"#
        }
        return answer(
            200,
            """
            {"lease": "\(lease)", "job": "job-7", "device": "shelf",
            "files": {\(rows.joined(separator: ", "))}, "expires_s": 120, "heartbeat_s": 30,
            "a_later_field": 1}
            """)
    }

    private func artifact(
        _ request: HttpRequest, _ hash: String, _ take: (any TakeBody)?
    ) throws -> HttpAnswer {
        guard let body = bodies[hash] else { return answer(404, "") }
        let range = request.headers["Range"]?.dropFirst(6).dropLast()
        let from = range.flatMap { Int($0) } ?? 0
        if from > body.count { return answer(416, "") }
        let rest = body.dropFirst(from).prefix(mostBytes)
        let said = ["content-range": "bytes \(from)-\(body.count - 1)/\(body.count)"]
        let status = from > 0 ? 206 : 200
        try take?.begin(status, said)
        try take?.more(Data(rest))
        if mostBytes < body.count { throw URLError(.networkConnectionLost) }
        return HttpAnswer(status: status, headers: said, body: Data())
    }
}

struct WorkTests {
    private let folder: TemporaryFolder
    private let jobs: URL
    private let answers = Answers()

    init() throws {
        folder = try TemporaryFolder()
        jobs = folder.url.appendingPathComponent("jobs", isDirectory: true)
        try FileManager.default.createDirectory(at: jobs, withIntermediateDirectories: true)
    }

    private var queue: Queue { Queue(folder.url.appendingPathComponent("queue.json")) }

    private func client() -> ServerClient {
        ServerClient(answers, server: "https://lab.example.org", token: "mb_1_s") { $0 }
    }

    /// The work of a process that just began.
    private func work() -> ServerWork { ServerWork(client(), queue, jobs: jobs) }

    private func step() async throws -> Step { try await work().step() }

    private func place(of step: Step) throws -> URL {
        jobs.appendingPathComponent(try #require(step.entry).folder, isDirectory: true)
    }

    private func write(_ name: String, in place: URL, _ text: String = "{}\n") throws {
        try Data(text.utf8).write(to: place.appendingPathComponent(name))
    }

    private func names(in place: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: place.path).sorted()
    }

    private var lastBody: String { String(decoding: answers.sent.last?.body ?? Data(), as: UTF8.self) }

    private func away(_ act: () async throws -> Void) async throws -> ServerAway {
        do {
            try await act()
        } catch let error as ServerAway {
            return error
        }
        throw Refused("nothing was thrown")
    }

    @Test func aJobComesWholeIsMeasuredAndItsRecordIsSent() async throws {
        let place = try place(of: await step())
        let lease = sha256(Array("lease-1".utf8)).prefix(8)
        #expect(place.lastPathComponent == "server-job-7-\(lease)")
        #expect(try names(in: place) == ["job.json", "model.onnx", "subject.json"])
        #expect(try await step().kind == .ready)
        try write("record.json", in: place)
        #expect(try await step().kind == .sent)
        let record = try #require(answers.sent.last)
        #expect(record.headers["Mobilebench-Lease"] == "lease-1")
        #expect(record.headers["Authorization"] == "Bearer mb_1_s")
        #expect(record.headers["Content-Encoding"] == "gzip")
        answers.lease = nil
        #expect(try await step().kind == .idle)
        #expect(try names(in: jobs) == [place.lastPathComponent])
    }

    @Test func aDownloadGoesOnWhereItEndedInAProcessThatKnowsNothing() async throws {
        answers.mostBytes = 4
        for _ in 0..<3 { _ = try await away { _ = try await step() } }
        let asked = answers.sent.filter { $0.path.contains("artifacts") }.map {
            $0.headers["Range"]
        }
        #expect(asked == [nil, "bytes=4-", "bytes=8-"])
        answers.mostBytes = .max
        #expect(try await step().kind == .fetched)
    }

    @Test func aFileWithAnotherContentThanItsHashIsNotTaken() async throws {
        answers.bodies[Example.modelSha256] = Array("not a nut".utf8)
        let error = try await away { _ = try await step() }
        #expect(error.description.contains("other bytes"))
        answers.bodies[Example.modelSha256] = Example.model
        #expect(try await step().kind == .fetched)
    }

    @Test func aPathOutOfTheFolderIsGivenBackAndNothingStays() async throws {
        answers.files = contents + [("../../out", Example.model)]
        let step = try await step()
        #expect(step.kind == .givenBack)
        #expect(step.sentence?.contains("leads out") == true)
        #expect(try names(in: jobs) == [])
        #expect(lastBody.contains(#""refused":"refused""#))
    }

    @Test func aJobThatThisAppDoesNotTakeIsGivenBackWithItsSentence() async throws {
        answers.files = contents.filter { $0.0 != "subject.json" }
        #expect(try await step().kind == .fetched)
        let step = try await step()
        #expect(step.kind == .givenBack)
        #expect(step.sentence?.contains("subject.json") == true)
        answers.lease = nil
        #expect(try await self.step().kind == .idle)
    }

    @Test func aLeaseThatExpiredBeforeTheRunLeavesTheJobToOthers() async throws {
        _ = try await step()
        answers.heartbeat = 410
        #expect(try await step().kind == .dropped)
        #expect(try names(in: jobs) == [])
        #expect(queue.entries.isEmpty)
    }

    @Test func aLeaseThatExpiredInTheRunLosesNothing() async throws {
        let place = try place(of: await step())
        answers.heartbeat = 410
        try write("journal.jsonl", in: place, "")
        #expect(try await step().kind == .ready)
        try write("record.json", in: place)
        #expect(try await step().kind == .sent)
    }

    @Test func aRecordThatTheServerDoesNotTakeStaysAndCanBeSentAgain() async throws {
        let place = try place(of: await step())
        try write("record.json", in: place)
        answers.record = 413
        let step = try await step()
        #expect(step.kind == .kept && step.sentence == "It says 413.")
        #expect(lastBody.contains("record_not_taken"))
        #expect(try names(in: place).contains("record.json"))
        answers.record = 200
        try queue.sendKeptAgain()
        #expect(try await self.step().kind == .sent)
    }

    @Test func aServerThatIsBusyIsAskedAgainAfterWhatItSays() async throws {
        try write("record.json", in: place(of: await step()))
        answers.record = 429
        answers.headers = ["retry-after": "7"]
        #expect(try await away { _ = try await step() }.askedMs == 7_000)
        answers.headers = ["retry-after": "Fri, 27 Nov 2026 18:00:00 GMT"]
        #expect(try await away { _ = try await step() }.askedMs == nil)
        answers.record = 201
        #expect(try await step().kind == .sent)
    }

    @Test func aRunThatTheUserStoppedGivesTheJobBackAndOneThatWasCutOffGoesOn() async throws {
        let place = try place(of: await step())
        try write("journal.jsonl", in: place, "")
        tell(place, NoRecord(.cutOff, "The process ended."))
        let work = work()
        #expect(try await work.step().kind == .ready)
        for _ in 0..<3 { try work.begins(try #require(work.queue.current)) }
        let step = try await work.step()
        #expect(step.kind == .givenBack && step.sentence == "cut off: The process ended.")
        #expect(lastBody.contains(#""cut_off""#))
    }

    @Test func aTokenThatWasRevokedEndsTheWorkAndLosesNothing() async throws {
        try write("record.json", in: place(of: await step()))
        answers.record = 401
        do {
            _ = try await step()
            Issue.record("nothing was thrown")
        } catch let error as ServerRefused {
            #expect(error.status == 401)
        }
        answers.record = 201
        #expect(try await step().kind == .sent)
    }

    @Test func moreThanThisDeviceTakesIsNotFetched() async throws {
        var limits = JobLimits()
        limits.mostBytes = 100
        let work = ServerWork(client(), queue, jobs: jobs, limits: limits)
        #expect(try await work.step().kind == .givenBack)
        #expect(answers.sent.allSatisfy { !$0.path.contains("artifacts") })
    }

    @Test func aQueueOfAnotherVersionIsEmptyAndOneThatIsCutOffToo() throws {
        for text in ["", "{", "[]", #"{"jobs": [{"lease": 1}]}"#] {
            try folder.write("queue.json", text.utf8)
            #expect(queue.entries.isEmpty)
        }
    }
}
