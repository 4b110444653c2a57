/// Numbers over time, the earliest first; NaN is a gap.
public struct Series: Sendable {
    public private(set) var tNs: [Int] = []
    public private(set) var values: [Double] = []

    public init() {}

    public init(tNs: [Int], values: [Double]) {
        precondition(tNs.count == values.count, "a series has a value for each time")
        self.tNs = tNs
        self.values = values
    }

    public var count: Int { tNs.count }
    public var isEmpty: Bool { tNs.isEmpty }

    mutating func add(_ tNs: Int, _ value: Double) {
        self.tNs.append(tNs)
        values.append(value)
    }

    /// Mark that no line joins what comes with what was before.
    mutating func gap(_ tNs: Int) {
        if !isEmpty { add(tNs, .nan) }
    }

    /// The lowest and the highest value; nil where all is gap.
    public var extent: ClosedRange<Double>? {
        var low = Double.infinity
        var high = -Double.infinity
        for value in values {
            if value < low { low = value }
            if value > high { high = value }
        }
        return low <= high ? low...high : nil
    }

    /// The different values, the lowest first.
    public var levels: [Double] { Set(values.filter { !$0.isNaN }).sorted() }
}

/// One point of a line.
public struct Dot: Hashable, Sendable {
    public let tNs: Int
    public let value: Double

    public init(tNs: Int, value: Double) {
        self.tNs = tNs
        self.value = value
    }
}

/// Return the lines of a series, thinned to what a number of columns of pixels can show.
///
/// Of each column the first, the lowest, the highest and the last value stay, so that no peak is
/// lost. A line ends where the series has a gap; a line of one point is a value between two gaps.
public func thinned(_ series: Series, endNs: Int, columns: Int) -> [[Dot]] {
    var lines: [[Dot]] = []
    var line: [Dot] = []
    var column = Column()
    for index in 0..<series.count {
        let value = series.values[index]
        let at = Int(Double(series.tNs[index]) / Double(max(endNs, 1)) * Double(columns))
        if value.isNaN || at != column.at { column.empty(into: &line, of: series) }
        if value.isNaN {
            if !line.isEmpty { lines.append(line) }
            line = []
        } else {
            column.add(index, at: at, of: series)
        }
    }
    column.empty(into: &line, of: series)
    if !line.isEmpty { lines.append(line) }
    return lines
}

/// The samples that fall into one column of pixels.
private struct Column {
    private(set) var at: Int?
    private var first = 0
    private var lowest = 0
    private var highest = 0
    private var last = 0

    mutating func add(_ index: Int, at column: Int, of series: Series) {
        if at == nil {
            at = column
            first = index
            lowest = index
            highest = index
        }
        if series.values[index] < series.values[lowest] { lowest = index }
        if series.values[index] > series.values[highest] { highest = index }
        last = index
    }

    mutating func empty(into line: inout [Dot], of series: Series) {
        if at == nil { return }
        for index in Set([first, lowest, highest, last]).sorted() {
            line.append(Dot(tNs: series.tNs[index], value: series.values[index]))
        }
        at = nil
    }
}

/// Return a series as steps: each value holds until the next one.
public func stepped(_ series: Series, endNs: Int) -> Series {
    var steps = Series()
    var before = Double.nan
    for index in 0..<series.count {
        let value = series.values[index]
        if value == before { continue }
        if !before.isNaN { steps.add(series.tNs[index], before) }
        steps.add(series.tNs[index], value)
        before = value
    }
    if !before.isNaN { steps.add(endNs, before) }
    return steps
}
