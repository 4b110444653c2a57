/// The number of `ProcessInfo.ThermalState` in the words of documents.
///
/// iOS has four states, from nominal (0) to critical (3); another number is a state that this app
/// does not know. A simulator always answers nominal, whatever the computer does: it has none.
public func thermalReading(_ rawState: Int, isSimulator: Bool) -> Reading<ThermalState> {
    if isSimulator { return .missing(.absent) }
    return .known(ThermalState.allCases.first { $0.warmth == rawState })
}
