/// What iOS answers, raw. Each call is quick and throws nothing; any thread may call.
public protocol PhoneSensors: Sendable {
    /// The number of `ProcessInfo.ThermalState`.
    var thermalState: Int { get }
    /// Whether the low power mode is on.
    var lowPowerMode: Bool { get }
    /// The battery as it was when it last changed.
    var battery: RawBattery { get }
    /// Nil where the system does not tell.
    var cpuTicks: CpuTicks? { get }
    /// Whether this is a simulator on a computer.
    var isSimulator: Bool { get }
}

/// How long other work is watched before and after a run.
private let watchNs = 200_000_000

/// Puts raw answers together as the state of a device. Used by one thread.
public final class StateReader {
    private let sensors: any PhoneSensors
    private let instruments: any Clock
    private var powerLog = PowerLog()

    /// The clock and the wait that a reader uses.
    public protocol Clock {
        func nowNs() -> Int
        func waitNs(_ nanoseconds: Int)
    }

    public init(_ sensors: any PhoneSensors, _ clock: any Clock) {
        self.sensors = sensors
        instruments = clock
    }

    /// Read the state now; quick, for it is called between inferences.
    public func sense() -> DeviceState {
        read(busy: .missing(.notReady))
    }

    /// Read the state before or after a run, with how busy other work keeps the cores.
    public func state() -> DeviceState {
        guard let before = sensors.cpuTicks else { return read(busy: .missing(.denied)) }
        instruments.waitNs(watchNs)
        guard let after = sensors.cpuTicks else { return read(busy: .missing(.denied)) }
        let busy = after.busyFraction(since: before)
        return read(busy: busy.map { .got($0) } ?? .missing(.notReady))
    }

    /// Return what the battery said with each reading since the last call; nil without any.
    public func takePower() -> Power? { powerLog.take() }

    private func read(busy: Reading<Double>) -> DeviceState {
        let thermal = thermalReading(sensors.thermalState, isSimulator: sensors.isSimulator)
        let battery = BenchCore.battery(sensors.battery)
        let tNs = instruments.nowNs()
        powerLog.add(tNs, battery)
        let missing: [String: Unreadable?] = [
            "thermal": thermal.why,
            "headroom": .absent,
            "headroom_age_ns": .absent,
            // iOS has these and shows no app any of them.
            "temperatures_c": .denied,
            "load_average": .denied,
            "cpu_mhz": .denied,
            "cpu_cap_mhz": .denied,
            "governor": .absent,
            "busy_fraction": busy.why,
            "battery_fraction": battery.fraction == nil ? .absent : nil,
            "charging": battery.charging == nil ? .absent : nil,
        ]
        return DeviceState(
            tNs: tNs,
            thermal: thermal.value,
            busyFraction: busy.value,
            lowPowerMode: sensors.lowPowerMode,
            batteryFraction: battery.fraction,
            charging: battery.charging,
            unreadable: missing.compactMapValues { $0 })
    }
}
