/// Turns states into readings; remembers the highest clock, of which a cap is a share.
public struct ThermalReadings {
    private var mostMhz = 0.0

    public init() {}

    /// Return the reading of a state. Sensors are told by their names, as Android has them.
    public mutating func reading(of state: DeviceState) -> ThermalReading {
        let temperatures = state.temperaturesC ?? [:]
        return ThermalReading(
            state: state.thermal,
            headroom: state.headroom,
            skinC: hottest(temperatures, "skin"),
            batteryC: hottest(temperatures, "battery"),
            cap: state.cpuCapMhz.flatMap { shareOfMost($0) },
            busy: state.busyFraction
        )
    }

    private mutating func shareOfMost(_ mhz: Double) -> Double? {
        mostMhz = max(mostMhz, mhz)
        return mostMhz > 0 ? mhz / mostMhz : nil
    }
}

/// Return the highest temperature of the sensors whose name holds a word.
private func hottest(_ temperatures: [String: Double], _ word: String) -> Double? {
    temperatures.filter { $0.key.lowercased().contains(word) }.values.max()
}
