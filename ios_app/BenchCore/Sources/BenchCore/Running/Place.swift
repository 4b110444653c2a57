/// Where a job is done: the device, its clock and sensors, and what happens to it.
public protocol Place {
    var instruments: any Instruments { get }

    /// What happens while a job runs: the place adds to it, on any thread.
    var events: EventLog { get }

    /// The app that measures; nil for a program of a computer.
    var application: Application? { get }

    func device() -> Device

    /// Read the state before and after a measurement; may take a moment.
    func state() -> DeviceState

    /// Return how the system treats the calling thread now.
    func scheduling() -> Scheduling

    /// Return the readings of the battery since the last call; nil where there are none.
    func power() -> Power?

    /// Memory that counts for this process now.
    var residentBytes: Int { get }

    /// The most memory that has counted for this process so far.
    var peakBytes: Int { get }
}
