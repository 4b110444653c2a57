import BenchCore
import Charts
import SwiftUI

/// Latency, thermal state and width of a run on one axis of time.
struct ChartView: View {
    @EnvironmentObject private var model: AppModel
    @Environment(\.colorScheme) private var scheme
    @ScaledMetric private var unit = 1.0
    let run: RunSoFar
    let deadlineNs: Int?

    /// More would not be seen on the widest phone.
    private let columns = 400

    var body: some View {
        let chart = runChart(run, deadlineNs: deadlineNs, columns: columns, words: model.words)
        VStack(alignment: .leading, spacing: 8) {
            ForEach(chart.panels) { panel in
                Text(model.words.say(panel.title)).font(.caption)
                PanelView(panel: panel, end: chart.end, palette: palette)
                    .frame(height: unit * (panel.id == .latency ? 160 : 90))
            }
            Text(model.words.say(chart.timeName)).font(.caption).foregroundStyle(.secondary)
        }
        // One sentence says more than thousands of points.
        .accessibilityElement(children: .ignore)
        .accessibilityLabel(model.words.say(describe(run)))
    }

    private var palette: Palette { scheme == .dark ? .dark : .light }
}

/// One quantity over time.
private struct PanelView: View {
    @EnvironmentObject private var model: AppModel
    let panel: BenchCore.Panel
    let end: Double
    let palette: Palette

    var body: some View {
        if let empty = panel.empty {
            Text(model.words.say(empty)).foregroundStyle(.secondary)
        } else {
            Chart {
                ForEach(Array(panel.marks.enumerated()), id: \.offset) { place, mark in
                    content(mark, series: place)
                }
            }
            .chartXScale(domain: 0...end)
            .chartYAxis { axis }
            .chartLegend(.hidden)
        }
    }

    @AxisContentBuilder
    private var axis: some AxisContent {
        if let levels = panel.levels {
            AxisMarks(values: levels) { value in
                AxisGridLine()
                AxisValueLabel { Text(name(value.as(Double.self) ?? 0)) }
            }
        } else {
            AxisMarks()
        }
    }

    private func name(_ level: Double) -> String {
        panel.id == .thermal ? model.words.say(thermalName(warmth: Int(level))) : plain(level)
    }

    @ChartContentBuilder
    private func content(_ mark: ChartMark, series: Int) -> some ChartContent {
        switch mark {
        case .line(let points, let role):
            ForEach(points, id: \.self) { point in
                LineMark(
                    x: .value("time", point.time), y: .value("value", point.value),
                    series: .value("line", series)
                )
                .foregroundStyle(colour(role))
            }
        case .dot(let point, let role):
            PointMark(x: .value("time", point.time), y: .value("value", point.value))
                .foregroundStyle(colour(role))
        case .band(let from, let to, let role, _):
            RectangleMark(xStart: .value("from", from), xEnd: .value("to", to))
                .foregroundStyle(colour(role))
        case .level(let value, let role, let label):
            RuleMark(y: .value("value", value))
                .foregroundStyle(colour(role))
                .annotation(position: .top, alignment: .leading) {
                    Text(label).font(.caption2)
                }
        case .moment(let time, let role):
            RuleMark(x: .value("time", time)).foregroundStyle(colour(role))
        }
    }

    private func colour(_ role: Role) -> Color {
        let rgb = palette.of(role)
        return Color(
            red: Double(rgb >> 16 & 0xFF) / 255, green: Double(rgb >> 8 & 0xFF) / 255,
            blue: Double(rgb & 0xFF) / 255)
    }
}
