import Testing

@testable import BenchCore

@Suite struct AbsencesTests {
    @Test func theAppIsAwayUntilNothingOfThisLasts() {
        let events = [
            Event(tNs: 10, kind: .background), Event(tNs: 12, kind: .screenOff),
            Event(tNs: 15, kind: .foreground), Event(tNs: 20, kind: .screenOn),
            Event(tNs: 30, kind: .call), Event(tNs: 31, kind: .screenOn),
        ]
        let away = [Absence(fromNs: 10, toNs: 20), Absence(fromNs: 30, toNs: nil)]
        #expect(absences(events: events, scheduling: []) == away)
    }

    @Test func aCallEndsWhenTheAppIsInFrontAgain() {
        let events = [Event(tNs: 10, kind: .call), Event(tNs: 15, kind: .foreground)]
        #expect(absences(events: events, scheduling: []) == [Absence(fromNs: 10, toNs: 15)])
    }

    @Test func otherEventsAreNoAbsenceAndWhatIsNotKnownIsNoneEither() {
        let kinds = EventKind.allCases.filter { ![.background, .screenOff, .call].contains($0) }
        let scheduling = [
            Scheduling(tNs: 0, foreground: true, screenOn: true), Scheduling(tNs: 9),
        ]
        let events = kinds.map { Event(tNs: 5, kind: $0) }
        #expect(absences(events: events, scheduling: scheduling).isEmpty)
    }

    @Test func whereNoEventTellsOfItTheAppLeftWhenItWasLastKnownToBeInFront() {
        let scheduling = [
            Scheduling(tNs: 5, foreground: true, screenOn: true),
            Scheduling(tNs: 50, foreground: true, screenOn: false),
            Scheduling(tNs: 60, foreground: true, screenOn: true),
        ]
        #expect(absences(events: [], scheduling: scheduling) == [Absence(fromNs: 5, toNs: 60)])
    }

    @Test func anEventSaysWhenTheAppLeftBetterThanTheScheduling() {
        let scheduling = [
            Scheduling(tNs: 5, foreground: true), Scheduling(tNs: 50, foreground: false),
        ]
        let events = [Event(tNs: 40, kind: .background)]
        let away = [Absence(fromNs: 40, toNs: nil)]
        #expect(absences(events: events, scheduling: scheduling) == away)
    }

    @Test func roundsWithAnAbsenceAreVoidAndSaid() {
        // Rounds from 0 to 30, 100 to 130 and 200 to 230.
        let samples = samples([0, 10, 20, 100, 110, 120, 200, 210, 220])
        func void(_ fromNs: Int, _ toNs: Int?) -> VoidRounds {
            voidRounds(samples, [Absence(fromNs: fromNs, toNs: toNs)])
        }
        #expect(void(125, 190) == VoidRounds(numbers: [1], rounds: 3))
        #expect(void(130, 200) == VoidRounds(numbers: [1, 2], rounds: 3))
        #expect(void(205, nil) == VoidRounds(numbers: [2], rounds: 3))
        #expect(void(131, 199) == VoidRounds(numbers: [], rounds: 3))
        let many = "2 of 3 rounds are void: the app was not in front, or the screen was off."
        #expect(void(130, 200).sentence == many)
        #expect(void(205, nil).sentence?.hasPrefix("1 of 3 rounds is void:") == true)
        #expect(void(131, 199).sentence == nil)
    }

    @Test func aRoundThatHasOnlyWarmedUpIsNoBlock() {
        let samples = samples([0, 10, 20, 100], warmUpOnly: 1)
        let void = voidRounds(samples, [Absence(fromNs: 0, toNs: nil)])
        #expect(void == VoidRounds(numbers: [0], rounds: 1))
    }

    private func samples(_ starts: [Int], warmUpOnly: Int? = nil) -> Samples {
        Samples(
            tNs: starts,
            latencyNs: starts.map { _ in 10 },
            phase: starts.map { $0 % 100 == 0 || $0 / 100 == warmUpOnly ? .warmUp : .measured },
            round: starts.map { $0 / 100 }
        )
    }
}
