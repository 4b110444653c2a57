/// What the cores have done since the device started, in ticks of the system.
public struct CpuTicks: Hashable, Sendable {
    public let busy: UInt64
    public let idle: UInt64

    public init(busy: UInt64, idle: UInt64) {
        self.busy = busy
        self.idle = idle
    }

    /// Return the share of the time since an earlier reading that the cores were busy, 0 to 1.
    ///
    /// Nil where no tick lies between, and where a counter went back, as one of 32 bits does.
    public func busyFraction(since earlier: CpuTicks) -> Double? {
        guard busy >= earlier.busy, idle >= earlier.idle else { return nil }
        let worked = busy - earlier.busy
        let all = worked + idle - earlier.idle
        return all == 0 ? nil : Double(worked) / Double(all)
    }
}
