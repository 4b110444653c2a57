import Foundation

private struct Scale {
    let name: String
    let size: Double
}

private let durations = [
    Scale(name: "ns", size: 1), Scale(name: "µs", size: 1e3), Scale(name: "ms", size: 1e6),
    Scale(name: "s", size: 1e9), Scale(name: "min", size: 60e9),
]
private let sizes = [
    Scale(name: "bytes", size: 1), Scale(name: "kB", size: 1e3), Scale(name: "MB", size: 1e6),
    Scale(name: "GB", size: 1e9), Scale(name: "TB", size: 1e12),
]
private let digitsShown = 3
private let longestInSecondsNs = 120e9

/// Write a duration, such as `350 ns`, `11.2 ms` or `90.0 s`; from two minutes, `2.00 min`.
public func duration(_ ns: Double) -> String {
    let inSeconds = abs(rounded(ns)) < longestInSecondsNs
    return written(ns, in: inSeconds ? Array(durations.dropLast()) : durations)
}

/// Write a duration of whole nanoseconds.
public func duration(_ ns: Int) -> String { duration(Double(ns)) }

/// Write a number of bytes, such as `350 bytes`, `1.49 MB` or `2.10 GB` (powers of 1000).
public func size(_ bytes: Int) -> String { written(Double(bytes), in: sizes) }

/// Write a share as per cent without decimals.
public func percent(_ share: Double) -> String { String(format: "%.0f %%", 100 * share) }

/// Write a temperature, such as `36.5 °C`.
public func celsius(_ temperature: Double) -> String { String(format: "%.1f °C", temperature) }

/// Write a number without zeros at its end, such as `0.5`, `1` or `0.75`.
public func plain(_ number: Double) -> String {
    var text = String(format: "%.3f", number)
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text == "-0" ? "0" : text
}

private func written(_ number: Double, in scales: [Scale]) -> String {
    guard number.isFinite else { return "\(number) \(scales[0].name)" }
    // Rounded first: 999.6 ns is 1.00 µs, not 1000 ns.
    let fitting = rounded(number)
    let scale = scales.last { abs(fitting) >= $0.size } ?? scales[0]
    return "\(digits(rounded(number / scale.size), whole: scale.size == 1)) \(scale.name)"
}

private func rounded(_ number: Double) -> Double {
    guard number.isFinite else { return number }
    return Double(String(format: "%.\(digitsShown - 1)e", number)) ?? number
}

private func digits(_ number: Double, whole: Bool) -> String {
    if whole && number == number.rounded(.down) { return String(Int(number)) }
    let before = number == 0 ? 1 : Int(log10(abs(number)).rounded(.down)) + 1
    return String(format: "%.\(max(0, digitsShown - before))f", number)
}
