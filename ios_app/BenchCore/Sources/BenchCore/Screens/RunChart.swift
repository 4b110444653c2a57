/// One thing that a panel of a chart draws. Times are in the unit of the chart.
public enum ChartMark: Hashable, Sendable {
    /// A line through at least two points.
    case line([PlotPoint], Role)
    /// A value between two gaps.
    case dot(PlotPoint, Role)
    /// A span of time that is shaded over the whole height, with what it is.
    case band(from: Double, to: Double, Role, label: String)
    /// A value across the whole width, with what it is.
    case level(Double, Role, label: String)
    /// A moment over the whole height.
    case moment(Double, Role)
}

/// A place in a panel: the time in the unit of the chart, and the value.
public struct PlotPoint: Hashable, Sendable {
    public let time: Double
    public let value: Double
}

/// One quantity over time, as what there is to draw in order.
public struct Panel: Hashable, Sendable, Identifiable {
    public enum Kind: Hashable, Sendable {
        case latency, thermal, width
    }

    public let id: Kind
    public let title: Phrase
    public let marks: [ChartMark]
    /// Stands in the panel where it has no value; nil where it has one.
    public let empty: Phrase?
    /// The values that alone can come; nil for numbers of any size.
    public let levels: [Double]?
}

/// Panels, one below the other, on one axis of time that begins at 0.
public struct RunChart: Hashable, Sendable {
    public let panels: [Panel]
    /// The end of the axis, in its unit.
    public let end: Double
    /// The name of the axis, with its unit.
    public let timeName: Phrase
}

private let marked: Set<EventKind> = [
    .background, .screenOff, .call, .memoryWarning, .chargerConnected, .chargerRemoved, .clockCap,
    .resumed,
]
private let leastNs = 1_000_000_000
private let longestInSecondsNs = 120_000_000_000

/// Return latency, thermal state and width of a run on one axis of time.
///
/// `deadlineNs` is what each frame has to keep, where it has to. The panel of widths is left out
/// where the run has one network alone. Lines are thinned to `columns` columns of pixels.
public func runChart(
    _ run: RunSoFar, deadlineNs: Int?, columns: Int, words: some Words
) -> RunChart {
    let endNs = max(run.endNs, leastNs)
    let time = TimeUnit(endNs: endNs)
    let moments = run.events.filter { marked.contains($0.kind) && $0.tNs <= endNs }
        .map { ChartMark.moment(time.of($0.tNs), .event) }
    func lines(_ series: Series, _ role: Role) -> [ChartMark] {
        thinned(series, endNs: endNs, columns: columns).map { dots in
            let places = dots.map { PlotPoint(time: time.of($0.tNs), value: $0.value) }
            return places.count == 1 ? .dot(places[0], role) : .line(places, role)
        }
    }
    let limit = deadlineNs.map {
        ChartMark.level(Double($0) / 1e6, .limit, label: words.say(.of(.chartDeadline)))
    }
    let hasLatency = run.latency.extent != nil || run.latencyOfWarmUp.extent != nil
    let latency = Panel(
        id: .latency,
        title: .of(.chartLatency),
        marks: lines(run.latencyOfWarmUp, .warmUp) + lines(run.latency, .latency)
            + [limit].compactMap { $0 } + moments,
        empty: hasLatency ? nil : .of(.chartNoSamples),
        levels: nil)
    // iOS tells an app the thermal state alone; a temperature is drawn where a device has one.
    let warmths = thermalSteps(run, endNs: endNs)
    let temperatures = lines(run.temperatureC, .temperature)
    let thermal = Panel(
        id: .thermal,
        title: .of(temperatures.isEmpty ? .thermalState : .chartTemperature),
        marks: bands(run, time: time, endNs: endNs, words: words)
            + (temperatures.isEmpty ? lines(warmths, .temperature) : temperatures) + moments,
        empty: temperatures.isEmpty && warmths.extent == nil ? .of(.chartNoTemperature) : nil,
        levels: temperatures.isEmpty ? ThermalState.allCases.map { Double($0.warmth) } : nil)
    let width = Panel(
        id: .width,
        title: .of(.chartWidth),
        marks: lines(stepped(run.width, endNs: endNs), .width) + moments,
        empty: nil,
        levels: run.width.levels)
    return RunChart(
        panels: [latency, thermal] + (run.width.isEmpty ? [] : [width]),
        end: time.of(endNs),
        timeName: .of(time.name))
}

/// The unit of an axis of time: seconds up to two minutes, else minutes.
private struct TimeUnit {
    let ns: Double
    let name: TextKey

    init(endNs: Int) {
        let inSeconds = endNs <= longestInSecondsNs
        ns = inSeconds ? 1e9 : 60e9
        name = inSeconds ? .timeInSeconds : .timeInMinutes
    }

    func of(_ tNs: Int) -> Double { Double(tNs) / ns }
}

/// The thermal state as its warmth, 0 to 3, in steps.
private func thermalSteps(_ run: RunSoFar, endNs: Int) -> Series {
    var warmths = Series()
    for state in run.states {
        if let thermal = state.thermal { warmths.add(state.tNs, Double(thermal.warmth)) }
    }
    return stepped(warmths, endNs: endNs)
}

/// Spans of time by the thermal state that was read at their beginning, but for nominal.
private func bands(_ run: RunSoFar, time: TimeUnit, endNs: Int, words: some Words) -> [ChartMark] {
    var spans: [(fromNs: Int, toNs: Int, state: ThermalState)] = []
    for (index, state) in run.states.enumerated() {
        guard let thermal = state.thermal, let role = thermal.role else { continue }
        let isLast = index + 1 == run.states.count
        let toNs = isLast ? endNs : run.states[index + 1].tNs
        if let last = spans.last, last.toNs == state.tNs, last.state.role == role {
            spans[spans.count - 1].toNs = toNs
        } else {
            spans.append((state.tNs, toNs, thermal))
        }
    }
    return spans.compactMap { span in
        span.state.role.map {
            .band(
                from: time.of(span.fromNs), to: time.of(span.toNs), $0,
                label: words.say(.of(span.state.key)))
        }
    }
}

extension ThermalState {
    fileprivate var role: Role? {
        switch self {
        case .nominal: nil
        case .fair: .fair
        case .serious: .serious
        case .critical: .critical
        }
    }

    var key: TextKey {
        switch self {
        case .nominal: .thermalNominal
        case .fair: .thermalFair
        case .serious: .thermalSerious
        case .critical: .thermalCritical
        }
    }
}

/// Return the words of a thermal state by its warmth, for the axis of a chart.
public func thermalName(warmth: Int) -> Phrase {
    ThermalState.allCases.first { $0.warmth == warmth }.map { .of($0.key) } ?? .of(.notKnown)
}

/// Say what a chart shows, for people who hear it.
public func describe(_ run: RunSoFar) -> Phrase {
    var parts: [Phrase] = []
    if let medianNs = run.medianNs, let extent = run.latency.extent {
        parts.append(
            .of(
                .heardLatency, "\(run.samples)", duration(extent.lowerBound * 1e6),
                duration(extent.upperBound * 1e6), duration(medianNs)))
    } else {
        parts.append(.of(.chartNoSamples))
    }
    if let extent = run.temperatureC.extent {
        parts.append(.of(.heardTemperature, celsius(extent.lowerBound), celsius(extent.upperBound)))
    } else {
        parts.append(.of(.heardNoTemperature))
    }
    if let warmest = run.warmest { parts.append(.of(.heardThermal, .of(warmest.key))) }
    if let extent = run.width.extent {
        parts.append(.of(.heardWidth, plain(extent.lowerBound), plain(extent.upperBound)))
    }
    return .joined(parts, between: " ")
}
