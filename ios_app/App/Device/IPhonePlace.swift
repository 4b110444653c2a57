import BenchCore
import Foundation

/// The clock of a run, and its wait.
struct ContinuousClock: StateReader.Clock, Sendable {
    func nowNs() -> Int { System.continuousNs() }

    func waitNs(_ nanoseconds: Int) {
        let until = nowNs() + nanoseconds
        while true {
            let left = until - nowNs()
            if left <= 0 { return }
            System.sleep(ns: left)
        }
    }
}

/// This phone, as a run uses it.
///
/// Only the thread that measures reads its state; the clock and the events are for any thread.
final class IPhonePlace: Place, Instruments, @unchecked Sendable {
    let events: EventLog
    let application: Application?
    private let described: Device
    private let front: Front
    private let reader: StateReader
    private let clock = ContinuousClock()

    init(_ events: EventLog, _ sensors: IPhoneSensors, _ front: Front, _ device: Device) {
        self.events = events
        self.front = front
        described = device
        application = describeApp()
        reader = StateReader(sensors, clock)
    }

    var instruments: any Instruments { self }

    func nowNs() -> Int { clock.nowNs() }

    func waitNs(_ nanoseconds: Int) { clock.waitNs(nanoseconds) }

    func sense() -> DeviceState { reader.sense() }

    func device() -> Device {
        var device = described
        device.bootAgeNs = System.continuousNs()
        return device
    }

    func state() -> DeviceState { reader.state() }

    func scheduling() -> Scheduling {
        let isInFront = front.isInFront
        // An app in front has a screen that is on; of one behind, the system does not tell.
        return Scheduling(
            tNs: nowNs(), foreground: isInFront, screenOn: isInFront ? true : nil,
            qos: System.qos)
    }

    func power() -> Power? { reader.takePower() }

    var residentBytes: Int { System.footprint().nowBytes }

    var peakBytes: Int { System.footprint().peakBytes }
}
