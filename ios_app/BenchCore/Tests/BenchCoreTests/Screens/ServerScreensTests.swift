import Testing

@testable import BenchCore

@Suite struct ServerScreensTests {
    private let enrolment = Enrolment(
        server: "https://lab.example.org", device: "shelf-1", scopes: ["jobs"])

    private func entry(_ number: Int) -> QueueEntry {
        QueueEntry(
            lease: "\(number)", job: "job", folder: "server-job-\(number)", files: [],
            heartbeatS: 30)
    }

    @Test func withoutAnEnrolmentThereIsAFieldAndOneButton() {
        let page = serverPage(nil, isOn: false, ServerStatus(.off), [])
        #expect(page.field == .of(.serverField))
        #expect(page.actions.map(\.kind) == [.enrol])
    }

    @Test func aTokenThatWasRevokedAsksForAnotherEnrolmentWithTheServersSentence() {
        let status = ServerStatus(.notEnrolled, "The token was revoked.")
        let page = serverPage(enrolment, isOn: true, status, [entry(1)])
        #expect(page.actions.map(\.kind) == [.enrol])
        #expect(page.problem == .verbatim("The token was revoked."))
        #expect(page.rows.count == 1)
    }

    @Test func theServerCannotBeLeftWhileTheWorkIsOn() {
        let on = serverPage(enrolment, isOn: true, ServerStatus(.asking), [])
        #expect(on.actions.map(\.kind) == [.switchOff, .leaveServer])
        #expect(on.actions.map(\.enabled) == [true, false])
        let off = serverPage(enrolment, isOn: false, ServerStatus(.off), [])
        #expect(off.actions.map(\.kind) == [.switchOn, .leaveServer])
        #expect(off.actions.map(\.enabled) == [true, true])
    }

    @Test func whatTheServerDoesNotTakeIsTheFirstRowAndCanBeSentAgain() {
        var kept = entry(2)
        kept.state = .kept
        kept.sentence = "Too large."
        let page = serverPage(enrolment, isOn: false, ServerStatus(.off), [entry(1), kept])
        #expect(page.rows.map(\.name) == ["server-job-2", "server-job-1"])
        #expect(page.rows[0].problem == .verbatim("Too large."))
        #expect(page.actions[1].kind == .sendAgain)
    }

    @Test func aWaitIsToldWithWhatItIsFor() {
        let status = ServerStatus(.retrying, "It is not reached.", waitMs: 8_000)
        let page = serverPage(enrolment, isOn: true, status, [])
        #expect(page.facts.last == Fact(.serverNextTry, duration(8_000_000_000)))
        #expect(page.problem == .verbatim("It is not reached."))
    }
}
