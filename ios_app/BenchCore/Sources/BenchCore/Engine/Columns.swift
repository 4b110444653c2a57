/// The samples since the last part, in buffers of a fixed size.
///
/// They are allocated once, before the first round, and emptied by each part, so adding a sample
/// allocates nothing. When they are nearly full, the next part leaves early: no sample is lost, and
/// no buffer grows.
struct Columns {
    private let room: Int
    private let hasWidths: Bool
    private var tNs: ContiguousArray<Int> = []
    private var latencyNs: ContiguousArray<Int> = []
    private var phase: ContiguousArray<Phase> = []
    private var round: ContiguousArray<Int> = []
    private var width: ContiguousArray<Double> = []

    init(room: Int, hasWidths: Bool) {
        self.room = room
        self.hasWidths = hasWidths
        tNs.reserveCapacity(room)
        latencyNs.reserveCapacity(room)
        phase.reserveCapacity(room)
        round.reserveCapacity(room)
        if hasWidths { width.reserveCapacity(room) }
    }

    /// Whether only those inferences have room that follow each other without a look at this.
    var isNearlyFull: Bool { tNs.count > room - Self.spare }

    mutating func add(tNs: Int, latencyNs: Int, phase: Phase, round: Int, width: Double) {
        self.tNs.append(tNs)
        self.latencyNs.append(latencyNs)
        self.phase.append(phase)
        self.round.append(round)
        if hasWidths { self.width.append(width) }
    }

    /// Return a copy of the samples, and forget them.
    mutating func take() -> Samples {
        Samples(
            tNs: Self.copied(&tNs),
            latencyNs: Self.copied(&latencyNs),
            phase: Self.copied(&phase),
            round: Self.copied(&round),
            width: Self.copied(&width)
        )
    }

    /// Return the entries in an array of its own, and empty the column, which keeps its buffer.
    private static func copied<Entry>(_ column: inout ContiguousArray<Entry>) -> [Entry] {
        // Array(column) would share the buffer, and the next sample would then need another one.
        let copy = column.withUnsafeBufferPointer { Array($0) }
        column.removeAll(keepingCapacity: true)
        return copy
    }

    /// Inferences between two looks at the room: one, a width's baseline, and one.
    static let spare = baselineInferences + 2
}

/// Return how many samples the columns of a run hold.
///
/// That is as many as the protocol counts for a round, or as a part holds of inferences of 20
/// microseconds, whichever is more; at most 65,536, which are 2 MB.
func roomFor(_ benchProtocol: BenchProtocol, widths: Int, everyNs: Int) -> Int {
    let baselines = widths * baselineInferences
    let counted = benchProtocol.warmUp.minIterations + baselines + benchProtocol.inferences
    let room = max(counted, everyNs / shortInferenceNs) + 2 * Columns.spare
    return min(room, mostRoom)
}

/// Inferences that measure the cool latency of a width.
let baselineInferences = 12

private let shortInferenceNs = 20_000
private let mostRoom = 65_536
