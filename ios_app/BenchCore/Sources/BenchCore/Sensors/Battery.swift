/// What `UIDevice` says of the battery, raw.
public struct RawBattery: Hashable, Sendable {
    /// 0 to 1; -1 where the level is not known.
    public var level: Float
    /// The number of `UIDevice.BatteryState`: unknown, unplugged, charging, full.
    public var state: Int

    public init(level: Float, state: Int) {
        self.level = level
        self.state = state
    }

    /// Of a device that has not answered yet.
    public static let unknown = RawBattery(level: -1, state: 0)
}

/// The battery in the units of documents; nil is not known.
public struct Battery: Hashable, Sendable {
    public let fraction: Double?
    public let charging: Bool?
    public let plugged: Bool?
}

private enum BatteryState: Int {
    case unknown, unplugged, charging, full
}

/// Return what raw values mean; what is out of range or a mark for nothing is nil.
public func battery(_ raw: RawBattery) -> Battery {
    let state = BatteryState(rawValue: raw.state) ?? .unknown
    // Plugged is not charging: when full, nothing flows in.
    let charging: Bool? =
        switch state {
        case .unknown: nil
        case .charging: true
        case .unplugged, .full: false
        }
    return Battery(
        fraction: (0...1).contains(raw.level) ? rounded(raw.level) : nil,
        charging: charging,
        plugged: state == .unknown ? nil : state != .unplugged)
}

/// The level comes in steps of a per cent or more; as a `Double` it would show digits of noise.
private func rounded(_ level: Float) -> Double { (Double(level) * 1000).rounded() / 1000 }
