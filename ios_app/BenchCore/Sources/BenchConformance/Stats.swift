import BenchCore

/// Answer a task of the kind `stats`.
@Sendable func answerStats(_ given: JsonObject) -> Json? {
    switch given.text("function") {
    case "summary": return summary(given.wholeList("latencies_ns"))
    case "trimmed mean":
        let mean = trimmedMean(
            given.numberList("values"),
            lowest: given.whole("lowest"),
            highest: given.whole("highest")
        )
        return fields(("mean", .double(mean)))
    case "share":
        let interval = wilsonInterval(hits: given.whole("hits"), count: given.whole("count"))
        return fields(("low", .double(interval.low)), ("high", .double(interval.high)))
    default: return nil
    }
}

private func summary(_ latenciesNs: [Int]) -> Json? {
    guard let summary = summarise(latenciesNs) else { return nil }
    return fields(
        ("count", .int(summary.count)),
        ("min_ns", .int(summary.minNs)),
        ("mean_ns", .double(summary.meanNs)),
        ("p50_ns", .double(summary.p50Ns)),
        ("p90_ns", .double(summary.p90Ns)),
        ("p99_ns", .double(summary.p99Ns))
    )
}
