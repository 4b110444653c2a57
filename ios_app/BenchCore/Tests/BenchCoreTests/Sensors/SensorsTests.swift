import Testing

@testable import BenchCore

private struct PlayedSensors: PhoneSensors {
    var thermalState = 0
    var lowPowerMode = false
    var battery = RawBattery(level: 0.8, state: 1)
    var cpuTicks: CpuTicks?
    var isSimulator = false
}

private final class PlayedClock: StateReader.Clock {
    private var now = 0
    func nowNs() -> Int { now }
    func waitNs(_ nanoseconds: Int) { now += nanoseconds }
}

@Suite struct SensorsTests {
    @Test(arguments: zip(0..<4, [ThermalState.nominal, .fair, .serious, .critical]))
    func theFourStatesOfTheSystemAreOurs(raw: Int, state: ThermalState) {
        #expect(thermalReading(raw, isSimulator: false).value == state)
    }

    @Test func aSimulatorAndAStateThatIsNotKnownHaveNone() {
        #expect(thermalReading(0, isSimulator: true).why == .absent)
        #expect(thermalReading(4, isSimulator: false).why == .absent)
    }

    @Test func aBatteryThatIsNotKnownIsNil() {
        let unknown = battery(.unknown)
        #expect(unknown.fraction == nil)
        #expect(unknown.charging == nil)
        #expect(unknown.plugged == nil)
    }

    @Test func fullIsPluggedAndDoesNotCharge() {
        let full = battery(RawBattery(level: 1, state: 3))
        #expect(full.plugged == true)
        #expect(full.charging == false)
        #expect(battery(RawBattery(level: 0.55, state: 2)).charging == true)
        #expect(battery(RawBattery(level: 0.55, state: 2)).fraction == 0.55)
    }

    @Test func aReadingStatesWhyWhatIsMissingIsMissing() {
        let reader = StateReader(PlayedSensors(), PlayedClock())
        let state = reader.sense()
        #expect(state.thermal == .nominal)
        #expect(state.unreadable["temperatures_c"] == .denied)
        #expect(state.unreadable["headroom"] == .absent)
        #expect(state.unreadable["busy_fraction"] == .notReady)
        #expect(state.unreadable["thermal"] == nil)
        #expect(state.temperaturesC == nil)
    }

    @Test func busyIsTheShareOfTicksThatWorked() {
        let before = CpuTicks(busy: 100, idle: 900)
        #expect(CpuTicks(busy: 130, idle: 970).busyFraction(since: before) == 0.3)
        #expect(before.busyFraction(since: before) == nil)
        #expect(CpuTicks(busy: 10, idle: 970).busyFraction(since: before) == nil)
    }

    @Test func noEnergyIsMadeOfALevel() throws {
        var log = PowerLog()
        let none = log.take()
        #expect(none == nil)
        log.add(5, battery(RawBattery(level: 0.8, state: 1)))
        let taken = log.take()
        let power = try #require(taken)
        #expect(power.readings.map(\.level) == [0.8])
        #expect(power.doubts == ["the device gives no current"])
        let rest = log.take()
        #expect(rest == nil)
        log.add(6, battery(RawBattery(level: 0.8, state: 2)))
        log.add(7, battery(RawBattery(level: 0.8, state: 1)))
        let later = log.take()
        #expect(later?.doubts.contains("a charger was connected") == true)
    }

    @Test func theNoteOfTheConditionsNamesWhatWasAsked() {
        let conditions = Conditions(
            qos: "user interactive", settings: ["inputs": "made before the call"],
            pageBytes: 16_384, availableBytes: 2_000_000_000)
        #expect(
            conditions.note == "quality of service user interactive; idle timer off; inputs made "
                + "before the call; pages of 16384 bytes; 2.00 GB of memory left")
        var forServer = conditions
        forServer.heartbeatS = 30
        let clause = "; a request to a server every 30 s, at background priority"
        #expect(forServer.note == conditions.note + clause)
    }
}
