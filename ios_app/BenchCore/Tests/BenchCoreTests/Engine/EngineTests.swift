import Testing

@testable import BenchCore

@Suite struct EngineTests {
    private let parts = Parts()

    @Test func aRequestToStopEndsTheRunAfterTheInferenceWithItsCause() throws {
        let stopping = StopRequest()
        let device = PlayedDevice()
        device.afterInference = { [unowned device] in
            if device.inferences == 10 { stopping.ask("the user") }
        }
        let ending = try device.run(played(1000), Course(stopping: stopping, keep: parts.keep))
        #expect(ending == Ending(limit: nil, asked: "the user"))
        #expect(parts.tNs.count == 10)
        #expect(parts.roundsEnded.isEmpty)
    }

    @Test func aRequestFromAnotherThreadIsSeenToo() throws {
        let stopping = StopRequest()
        let device = PlayedDevice()
        device.afterInference = { [unowned device] in
            if device.inferences == 10 { onAnotherThread { stopping.ask("a thread") } }
        }
        let ending = try device.run(played(1000), Course(stopping: stopping))
        #expect(ending.asked == "a thread")
        #expect(device.inferences == 10)
    }

    @Test func theFirstCauseToStopStays() {
        let stopping = StopRequest()
        #expect(stopping.cause == nil)
        stopping.ask("the user")
        stopping.ask("the system")
        #expect(stopping.cause == "the user")
    }

    @Test func aRequestToStopIsSeenWithinASecondOfALongWait() throws {
        let stopping = StopRequest()
        let device = PlayedDevice()
        device.duringWait = { [unowned device] _ in
            if device.now >= 10 * s { stopping.ask("the user") }
        }
        let ending = try device.run(
            played(5, coolDownNs: 600 * s), Course(stopping: stopping))
        #expect(ending.asked == "the user")
        #expect(device.now == 10 * s)
        #expect(device.longestWaitNs == s)
    }

    @Test func aRequestToStopIsSeenBeforeAGateThatNeverOpens() throws {
        let stopping = StopRequest()
        let device = PlayedDevice()
        device.thermal = .critical
        device.duringWait = { _ in stopping.ask("the user") }
        let ending = try device.run(played(5, gate: Gate()), Course(stopping: stopping))
        #expect(ending.asked == "the user")
        #expect(device.inferences == 0)
    }

    @Test func aRequestToStopDuringALoadIsSeenBeforeTheFirstInference() throws {
        let stopping = StopRequest()
        let device = PlayedDevice()
        device.loadNs = 97 * s
        device.duringLoad = { stopping.ask("the user") }
        let ending = try device.run(played(5), Course(stopping: stopping, keep: parts.keep))
        #expect(ending.asked == "the user")
        #expect(device.inferences == 0)
        #expect(parts.all.flatMap(\.loadNs) == [97 * s])
    }

    @Test func aLongLoadIsKeptBeforeTheFirstInference() throws {
        let device = PlayedDevice()
        device.loadNs = 97 * s
        var loadsBefore: [Int] = []
        device.afterInference = { [unowned device, parts] in
            if device.inferences == 1 { loadsBefore = parts.all.flatMap(\.loadNs) }
        }
        try device.run(played(5), Course(keep: parts.keep))
        #expect(loadsBefore == [97 * s])
        #expect(parts.all.flatMap(\.loadNs) == [97 * s])
    }

    @Test func aLoadThatFailsLeavesTheRoundsBeforeIt() {
        let device = PlayedDevice()
        device.duringLoad = { [unowned device] in
            if device.inferences > 0 { throw TestFailure(message: "no model") }
        }
        #expect(throws: TestFailure(message: "no model")) {
            try device.run(played(5, rounds: 2), Course(keep: parts.keep))
        }
        #expect(parts.roundsEnded == [0])
        #expect(parts.all.last?.states.count == 1)
    }

    @Test func aLongWaitInSlicesLastsAsLongAsItShould() throws {
        let device = PlayedDevice()
        try device.run(played(1, warmUp: 1, coolDownNs: 2 * s + 5))
        #expect(device.now == 7 * s + 2 * s + 5 + 2 * ms)
    }

    @Test func partsLeaveWhenTheirTimeHasPassedAndHoldWhatCameSinceTheOneBefore() throws {
        let device = PlayedDevice(latencyNs: 10 * ms)
        let course = Course(everyNs: 100 * ms, keep: parts.keep)
        try device.run(played(25, warmUp: 5), course)
        #expect(parts.all.map(\.samples.count) == [10, 10, 10])
        #expect(parts.tNs == (0..<30).map { $0 * 10 * ms })
        #expect(parts.all.map(\.states.count) == [1, 0, 0])
        #expect(parts.all.map(\.loadNs.count) == [1, 0, 0])
        #expect(parts.all.map(\.roundEnded) == [nil, nil, 0])
    }

    @Test func whereTheColumnsAreFullAPartLeavesEarlyAndNoSampleIsLost() throws {
        let device = PlayedDevice(latencyNs: 1)
        try device.run(played(200_000), Course(everyNs: s, keep: parts.keep))
        #expect(parts.tNs == Array(0..<200_002))
        #expect((4...5).contains(parts.all.count))
        #expect(parts.all.map(\.samples.count).max()! <= 65_536)
    }

    @Test func columnsHaveRoomForARoundOfTheProtocol() {
        #expect(roomFor(played(60_000), widths: 2, everyNs: s) == 2 + 24 + 60_000 + 28)
        #expect(roomFor(played(30), widths: 0, everyNs: s) == 50_000 + 28)
        #expect(roomFor(played(1_000_000), widths: 0, everyNs: s) == 65_536)
        #expect(roomFor(played(30), widths: 0, everyNs: 0) == 32 + 28)
    }

    @Test func baselinesOfManyWidthsHaveRoomInFullColumns() throws {
        let several = Several(widths: [1, 0.75, 0.5, 0.25], select: { _ in }) { _ in ChosenBy() }
        let device = PlayedDevice(latencyNs: 1)
        let course = Course(everyNs: 1, several: several, keep: parts.keep)
        try device.run(played(5, rounds: 3, warmUp: 7), course)
        #expect(parts.tNs.count == 3 * (7 + 48 + 5))
    }

    @Test func aClockThatGoesBackwardsEndsTheRunWithWhatCameBefore() throws {
        let device = PlayedDevice()
        device.afterInference = { [unowned device] in
            if device.inferences == 10 { device.now -= 5 * s }
        }
        #expect {
            try device.run(played(100), Course(keep: parts.keep))
        } throws: { error in
            "\(error)".contains("went back by 4999000000 ns while the protocol played ran")
        }
        #expect(parts.tNs.count == 9)
    }

    @Test func aClockThatGoesBackwardsInAWaitEndsTheRun() {
        let device = PlayedDevice()
        device.duringWait = { [unowned device] in device.now -= 2 * $0 }
        #expect(throws: ClockFailed.self) {
            try device.run(played(5, coolDownNs: s), Course(keep: parts.keep))
        }
    }

    @Test func aClockThatStandsStillEndsTheRun() {
        #expect {
            try PlayedDevice(latencyNs: 0).run(played(100))
        } throws: { error in
            error is ClockFailed && "\(error)".contains("stood still")
        }
    }

    @Test func aClockNearTheEndOfItsNumbersGoesOn() throws {
        let device = PlayedDevice()
        device.now = .max - 3 * ms
        let course = Course(limits: Limits(timeNs: 50 * ms), keep: parts.keep)
        let ending = try device.run(played(100), course)
        #expect(ending.limit == .time)
        #expect(parts.tNs == (0..<50).map { $0 * ms })
    }

    @Test func anInferenceThatFailsLeavesTheSamplesBeforeIt() {
        let device = PlayedDevice()
        device.afterInference = { [unowned device] in
            if device.inferences == 10 { throw TestFailure(message: "no memory") }
        }
        #expect(throws: TestFailure(message: "no memory")) {
            try device.run(played(100), Course(keep: parts.keep))
        }
        #expect(parts.tNs.count == 9)
    }

    @Test func aPartThatCannotBeKeptEndsTheRunAtOnce() {
        var calls = 0
        let course = Course(everyNs: 5 * ms) { _ in
            calls += 1
            throw TestFailure(message: "storage is full")
        }
        let device = PlayedDevice()
        #expect(throws: TestFailure(message: "storage is full")) {
            try device.run(played(100), course)
        }
        #expect(calls == 1)
        #expect(device.inferences == 5)
    }

    @Test func aFailedInferenceIsToldEvenWhereItsPartCannotBeKept() {
        let device = PlayedDevice()
        device.afterInference = { throw TestFailure(message: "no memory") }
        let course = Course { _ in throw TestFailure(message: "storage is full") }
        #expect {
            try device.run(played(100), course)
        } throws: { error in
            let both = error as? KeptNothing
            return both?.cause as? TestFailure == TestFailure(message: "no memory")
                && both?.loss as? TestFailure == TestFailure(message: "storage is full")
        }
    }

    @Test func aShiftOfTheWidthIsAnEventBetweenTheInferences() throws {
        let chooser = ChosenBy(reason: "test", readings: ["pace": 1.5]) { tNs, _ in
            tNs >= 20 * ms ? 1 : 0
        }
        var chosen: [Int] = []
        let several = Several(widths: [1, 0.5], select: { chosen.append($0) }) { _ in chooser }
        let device = PlayedDevice()
        try device.run(played(10, warmUp: 1), Course(several: several, keep: parts.keep))
        // One of the warm-up, and 12 of each width, of which the narrowest is the first.
        let event = Event(
            tNs: 26 * ms, kind: .widthShift, fromWidth: 1, toWidth: 0.5,
            readings: ["pace": 1.5], note: "test")
        #expect(parts.events == [event])
        #expect(chosen == [0, 1, 0, 1])
    }

    @Test func theCoolLatencyIsAMedianWithoutTheFirstTwo() {
        var latencies: ContiguousArray = [900, 1, 9, 2, 8, 3, 7, 4, 6, 5, 11, 12]
        #expect(medianOfSettled(&latencies) == (6 + 7) / 2)
    }
}
