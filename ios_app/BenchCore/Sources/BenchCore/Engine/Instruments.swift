/// The clock, the wait and the sensors that a measurement uses.
public protocol Instruments: Sendable {
    /// Monotonic time in nanoseconds; any thread may ask for it.
    func nowNs() -> Int

    /// Return after the given number of nanoseconds, or a little later.
    func waitNs(_ nanoseconds: Int)

    /// Read the device's state now; quick, for it is called between inferences.
    func sense() -> DeviceState
}

/// One inference.
public typealias Infer = () throws -> Void

/// Decides after an inference which width computes the next one.
///
/// `reason` and `readings` belong to the last decision that changed the width.
public protocol Chooser: AnyObject {
    /// Return the index of the width from now on. Allocates nothing without a state.
    func choose(tNs: Int, index: Int, latencyNs: Int, state: DeviceState?) -> Int

    var reason: String { get }

    var readings: [String: Double] { get }
}

/// Puts the width at an index in force; allocates nothing.
public typealias Select = (Int) throws -> Void

/// Networks of several widths, and what chooses between them.
public struct Several {
    /// As shares of the channels of the full network, the widest first.
    public let widths: [Double]
    public let select: Select
    /// Takes the cool latency of each width in nanoseconds; returns what chooses.
    public let chooser: ([Int]) throws -> any Chooser

    public init(
        widths: [Double],
        select: @escaping Select,
        chooser: @escaping ([Int]) throws -> any Chooser
    ) {
        self.widths = widths
        self.select = select
        self.chooser = chooser
    }
}

/// What came since the part before.
public struct Part: Sendable {
    public let samples: Samples
    public let loadNs: [Int]
    public let gates: [GateLog]
    public let states: [DeviceState]
    public let events: [Event]
    public let roundEnded: Int?
}
