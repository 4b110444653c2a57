import Foundation
import Testing

@testable import BenchCore

/// What both apps do alike, by the cases in `tests/data/server-clients.json`.
struct SharedTests {
    private let shared: JsonObject

    init() throws {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<6 { root.deleteLastPathComponent() }
        let file = root.appendingPathComponent("tests/data/server-clients.json")
        shared = try readJson(Array(Data(contentsOf: file))).asObject
    }

    private func cases(_ name: String) -> [JsonObject] { shared.list(name).map(\.asObject) }

    private func check(
        _ each: JsonObject, _ name: String, _ read: (String) throws -> String
    ) throws {
        let text = each.text("text")
        if let refused = each.textOrNil("refused") {
            let error = try thrown(NotAnInvitation.self) { _ = try read(text) }
            #expect(error.description.contains(refused), "\(text)")
        } else {
            #expect(try read(text) == each.text(name), "\(text)")
        }
    }

    @Test func invitationsAreReadAsTheOtherAppReadsThem() throws {
        for each in cases("invitations") {
            try check(each, "server") { try readInvitation($0).server }
            try check(each, "code") { try readInvitation($0).code }
        }
    }

    @Test func addressesAndCodesAreReadAsTheOtherAppReadsThem() throws {
        for each in cases("addresses") { try check(each, "address", readAddress) }
        for each in cases("codes") { try check(each, "code", readCode) }
        for each in cases("typed") {
            try check(each, "server") { try readTyped($0).server }
            try check(each, "code") { try readTyped($0).code }
        }
    }

    @Test func bothAppsWaitAlikeBeforeAnotherTry() {
        for each in cases("waits") {
            let ms = waitMs(
                tries: each.whole("tries"), share: each.number("share"),
                askedMs: each.wholeOrNil("asked_ms"))
            #expect(ms == each.whole("ms"), "\(each.text)")
        }
    }

    @Test func bothAppsSayTheSameWords() {
        let words = shared.part("words")
        #expect(words.texts("queue").allSatisfy { QueueState(rawValue: $0) != nil })
        #expect(words.texts("step").allSatisfy { StepKind(rawValue: $0) != nil })
        #expect(words.texts("doing").allSatisfy { Doing(rawValue: $0) != nil })
        #expect(words.texts("queue").count == QueueState.allCases.count)
        #expect(words.texts("step").count == StepKind.allCases.count)
        #expect(words.texts("doing").count == Doing.allCases.count)
    }

    @Test func anAnswerEndsTheGrowingOfTheWait() {
        var backoff = Backoff()
        #expect((500...1_000).contains(backoff.nextMs()))
        #expect((1_000...2_000).contains(backoff.nextMs()))
        backoff.reset()
        #expect((500...1_000).contains(backoff.nextMs()))
    }

    @Test func theChecksumOfGzipIsThatOfItsDefinition() throws {
        #expect(crc32(Array("123456789".utf8)) == 0xCBF4_3926)
        let packed = try gzip([1, 2, 3]) { $0 }
        #expect(Array(packed.suffix(4)) == [3, 0, 0, 0])
    }
}
