import Foundation
import Testing

@testable import BenchCore

@Suite struct EventLogTests {
    private let parts = Parts()
    private let events = EventLog()

    @Test func anEventFromAnotherThreadIsGivenAwayWithItsTime() throws {
        let device = PlayedDevice()
        device.afterInference = { [unowned device, events] in
            if device.inferences != 4 { return }
            onAnotherThread { events.add(.background, note: "scene phase") }
        }
        try device.run(played(10), Course(events: events, keep: parts.keep))
        #expect(parts.events == [Event(tNs: 4 * ms, kind: .background, note: "scene phase")])
    }

    @Test func whatLastsWhenTheRunBeginsCountsFromItsBeginning() throws {
        for kind in [EventKind.screenOff, .background, .screenOn, .chargerRemoved] {
            events.add(kind)
        }
        let course = Course(firstRound: 1, tNs: 5 * s, events: events, keep: parts.keep)
        try PlayedDevice().run(played(2, rounds: 2), course)
        #expect(parts.events == [Event(tNs: 5 * s, kind: .background)])
    }

    @Test func anAppThatCameToTheFrontBeforeTheRunWasNotAway() throws {
        for kind in [EventKind.call, .background, .foreground] { events.add(kind) }
        try PlayedDevice().run(played(2), Course(events: events, keep: parts.keep))
        #expect(parts.events.isEmpty)
    }

    @Test func whatLastsIsToldAgainToTheNextRunAndTheRestIsNot() throws {
        let late = PlayedDevice()
        late.afterInference = { [unowned late, events] in
            if late.inferences == 3 { events.add(.screenOff) }
        }
        try late.run(played(900), Course(events: events))
        events.add(.chargerRemoved)
        try PlayedDevice().run(played(2), Course(events: events, keep: parts.keep))
        #expect(parts.events == [Event(tNs: 0, kind: .screenOff)])
    }

    @Test func anEventThatComesLateHasTheTimeOfTheOneBefore() {
        events.begin { 4 }
        events.put(Event(tNs: 5, kind: .clockCap))
        events.put(Event(tNs: 3, kind: .clockCap))
        events.add(.memoryWarning)
        #expect(events.take().map(\.tNs) == [5, 5, 5])
        #expect(events.take().isEmpty)
    }

    @Test func eventsOfManyThreadsStayInTheOrderOfTime() {
        let events = events
        events.begin { Int(DispatchTime.now().uptimeNanoseconds) }
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            for _ in 0..<500 {
                events.add(.memoryWarning)
                let tNs = Int(DispatchTime.now().uptimeNanoseconds)
                events.put(Event(tNs: tNs, kind: .clockCap))
            }
        }
        let times = events.take().map(\.tNs)
        #expect(times.count == 4000)
        #expect(times == times.sorted())
    }
}
