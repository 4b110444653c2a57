private let firstMs = 1_000
private let longestMs = 300_000
private let longestAskedMs = 3_600_000
private let askedSpread = 0.1
private let mostDoublings = 20

/// How long to wait before another try: longer with each one, and never alike on two devices.
///
/// The time is counted from now, so a wrong clock changes nothing.
public struct Backoff: Sendable {
    private var tries = 0

    public init() {}

    /// Forget earlier tries: the server has answered.
    public mutating func reset() { tries = 0 }

    /// Return the milliseconds to wait; `askedMs` is what the server asked for, if it did.
    public mutating func nextMs(askedMs: Int? = nil) -> Int {
        defer { tries += 1 }
        return waitMs(tries: tries, share: Double.random(in: 0..<1), askedMs: askedMs)
    }
}

/// Return the milliseconds before a try.
///
/// `tries` came before in vain. `share` is drawn from 0 to 1. Half of the wait is drawn, and it is
/// never shorter than what the server asked for, up to an hour.
public func waitMs(tries: Int, share: Double, askedMs: Int? = nil) -> Int {
    let wholeMs = min(longestMs, firstMs << min(tries, mostDoublings))
    let ownMs = Int(Double(wholeMs) * (0.5 + share / 2))
    guard let askedMs else { return ownMs }
    let asked = min(askedMs, longestAskedMs)
    return max(ownMs, asked + Int(Double(asked) * askedSpread * share))
}
