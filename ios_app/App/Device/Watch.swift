import BenchCore
import Foundation
import UIKit

/// Tells the log of a run what happens to the device.
@MainActor
final class Watch {
    private let events: EventLog
    private let sensors: IPhoneSensors
    private let front: Front
    /// Called before the app leaves the front, while it still may use the GPU.
    private let leaving: @MainActor () -> Void
    /// Called when the thermal state is critical: the system is about to take things away.
    private let tooHot: @MainActor () -> Void
    private var observers: [any NSObjectProtocol] = []
    private var isPlugged: Bool?

    init(
        _ events: EventLog, _ sensors: IPhoneSensors, _ front: Front,
        leaving: @escaping @MainActor () -> Void, tooHot: @escaping @MainActor () -> Void
    ) {
        self.events = events
        self.sensors = sensors
        self.front = front
        self.leaving = leaving
        self.tooHot = tooHot
    }

    func begin() {
        sensors.readBattery()
        isPlugged = battery(sensors.battery).plugged
        front.isInFront = UIApplication.shared.applicationState == .active
        if !front.isInFront { events.add(.background) }
        // The system posts changes of the thermal state only to who has asked for it before.
        _ = sensors.thermalState
        hear(UIApplication.willResignActiveNotification) { $0.leave() }
        hear(UIApplication.didBecomeActiveNotification) { $0.comeBack() }
        hear(UIApplication.didReceiveMemoryWarningNotification) { $0.events.add(.memoryWarning) }
        hear(ProcessInfo.thermalStateDidChangeNotification) { $0.thermalStateChanged() }
        hear(UIDevice.batteryLevelDidChangeNotification) { $0.sensors.readBattery() }
        hear(UIDevice.batteryStateDidChangeNotification) { $0.batteryChanged() }
    }

    func end() {
        for observer in observers { NotificationCenter.default.removeObserver(observer) }
        observers = []
    }

    private func hear(_ name: Notification.Name, _ act: @escaping @MainActor (Watch) -> Void) {
        let observer = NotificationCenter.default.addObserver(
            forName: name, object: nil, queue: .main
        ) { [weak self] _ in
            // The queue is that of the main thread.
            MainActor.assumeIsolated {
                if let self { act(self) }
            }
        }
        observers.append(observer)
    }

    /// A call, a message that is pulled down and a locked screen all begin with this.
    private func leave() {
        front.isInFront = false
        events.add(.background)
        leaving()
    }

    private func comeBack() {
        if front.isInFront { return }
        front.isInFront = true
        events.add(.foreground)
    }

    private func thermalStateChanged() {
        let state = thermalReading(sensors.thermalState, isSimulator: sensors.isSimulator)
        if state.value == .critical { tooHot() }
    }

    private func batteryChanged() {
        sensors.readBattery()
        let plugged = battery(sensors.battery).plugged
        if let before = isPlugged, let plugged, before != plugged {
            events.add(plugged ? .chargerConnected : .chargerRemoved)
        }
        isPlugged = plugged
    }
}
