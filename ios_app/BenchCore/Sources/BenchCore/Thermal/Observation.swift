let secondNs = 1_000_000_000
let hourNs = 3600 * Double(secondNs)

/// One width of a network: what it costs at the fastest clock, and what it gives.
public struct WidthCost: Equatable, Sendable {
    /// As a share of the channels of the full network.
    public let width: Double
    /// Median latency at the fastest clock, on a cool device.
    public let coolNs: Int
    /// In per cent.
    public let top1: Double

    public init(width: Double, coolNs: Int, top1: Double) {
        self.width = width
        self.coolNs = coolNs
        self.top1 = top1
    }
}

/// What the sensors of a device say at one moment; what cannot be read is NaN.
///
/// A number that is not finite counts as not readable.
public struct ThermalReading: Sendable {
    /// The level of the thermal state: 0 is nominal.
    public let state: Double
    /// Android's forecast: at 1 the system throttles severely.
    public let headroom: Double
    public let skinC: Double
    public let batteryC: Double
    /// Highest clock that the system allows now, as a share of the highest ever.
    public let cap: Double
    /// Share of the time that the unit computed, since the reading before.
    public let busy: Double
    /// Energy of a frame since the reading before, in millijoules.
    public let energyMj: Double

    public init(
        state: ThermalState? = nil, headroom: Double? = nil, skinC: Double? = nil,
        batteryC: Double? = nil, cap: Double? = nil, busy: Double? = nil, energyMj: Double? = nil
    ) {
        func finite(_ number: Double?) -> Double {
            guard let number, number.isFinite else { return .nan }
            return number
        }
        self.state = state.map { Double($0.warmth) } ?? .nan
        self.headroom = finite(headroom)
        self.skinC = finite(skinC)
        self.batteryC = finite(batteryC)
        self.cap = finite(cap)
        self.busy = finite(busy)
        self.energyMj = finite(energyMj)
    }

    /// The numbers that are there, by their names in decisions.
    public var known: [String: Double] {
        [
            "state": state, "headroom": headroom, "skin_c": skinC, "battery_c": batteryC,
            "cap": cap, "busy": busy, "energy_mj": energyMj,
        ].filter { !$0.value.isNaN }
    }
}

/// Why a controller chose a width.
public enum Reason: String, Word {
    /// Nothing changed.
    case hold
    /// The width before gives fewer accurate frames in time than this one, at the clock seen.
    case late
    /// A wider network has been in reach for long enough.
    case room
    /// A wider network is tried, since the clock at this load says little about it.
    case probe
    /// A limit on heat is passed, or soon will be.
    case heat
    /// The device has been well below the limit for long enough.
    case cooled
    /// The clock was capped, and the aim is that it is not.
    case capped
    /// Even the narrowest network does not keep the limit, so the deadline alone counts now.
    case gaveUp = "gave up"
    /// The limit counts again, some time after the controller gave up.
    case triesAgain = "tries again"
}

/// Decides after every observation; a pure state machine that holds what it has seen.
public protocol Controller: AnyObject {
    /// Return the index of the width to use from now on.
    ///
    /// Observations come in the order of their time `tNs`. A frame was computed by the width at
    /// `index` in `latencyNs`, which is nil where no frame ended; `reading` is nil where the
    /// sensors were not read. Allocates nothing.
    func decide(tNs: Int, index: Int, latencyNs: Int?, reading: ThermalReading?) -> Int

    /// Why the last call of `decide` chose its width.
    var reason: Reason { get }

    /// The numbers that it was decided by, with units in their names; empty where it held.
    ///
    /// They are put together when they are asked for.
    var inputs: [String: Double] { get }
}

/// Return the nanoseconds since a time; endless where it has not come yet.
func passed(since thenNs: Int?, _ nowNs: Int) -> Double {
    thenNs.map { Double(nowNs - $0) } ?? .infinity
}
