import BenchCore

/// Answer a task of the kind `headline`.
@Sendable func answerHeadline(_ given: JsonObject) throws -> Json? {
    guard let described = given["protocol"], let columns = given["samples"] else { return nil }
    let benchProtocol = try BenchProtocol(json: described)
    let samples = try Samples(json: columns)
    let spans = benchProtocol.windowNs.map { windows(samples, windowNs: $0) } ?? []
    return fields(
        ("headline_ns", headlineNs(benchProtocol, samples).map(Json.double) ?? .null),
        ("windows", .list(spans.map(written))),
        ("deadlines", deadlines(benchProtocol, samples).map(written) ?? .null)
    )
}

private func written(_ window: Window) -> Json {
    fields(
        ("start_ns", .int(window.startNs)),
        ("count", .int(window.count)),
        ("p50_ns", .double(window.p50Ns)),
        ("p90_ns", .double(window.p90Ns)),
        ("p99_ns", .double(window.p99Ns))
    )
}

private func written(_ deadlines: Deadlines) -> Json {
    fields(
        ("frames", .int(deadlines.frames)),
        ("on_time", .int(deadlines.onTime)),
        ("late", .int(deadlines.late)),
        ("dropped", .int(deadlines.dropped))
    )
}
