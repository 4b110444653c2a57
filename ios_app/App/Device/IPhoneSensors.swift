import BenchCore
import Foundation
import UIKit
import os

/// Asks iOS; what its answers mean is decided in BenchCore.
///
/// The battery belongs to the main thread, so its last answer is kept for the thread that measures.
final class IPhoneSensors: PhoneSensors {
    private let lastBattery = OSAllocatedUnfairLock(initialState: RawBattery.unknown)

    var thermalState: Int { ProcessInfo.processInfo.thermalState.rawValue }

    var lowPowerMode: Bool { ProcessInfo.processInfo.isLowPowerModeEnabled }

    var battery: RawBattery { lastBattery.withLock { $0 } }

    var cpuTicks: CpuTicks? { System.cpuTicks() }

    var isSimulator: Bool { System.isSimulator }

    /// Ask the device for its battery.
    @MainActor
    func readBattery() {
        let device = UIDevice.current
        device.isBatteryMonitoringEnabled = true
        let answer = RawBattery(level: device.batteryLevel, state: device.batteryState.rawValue)
        lastBattery.withLock { $0 = answer }
    }
}
