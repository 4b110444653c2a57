import BenchCore

/// Answer a task of the kind `evidence`: how well it is known where a model ran.
@Sendable func answerEvidence(_ given: JsonObject) -> Json? {
    let placement = given.known("placement").map { _ in given.objects("placement").map(operation) }
    let timings = given.objects("timings").map {
        UnitTiming(unit: unit($0), p50Ns: $0.number("p50_ns"), samples: $0.whole("samples"))
    }
    let evidence = judgeUnit(
        unit(given), p50Ns: given.number("p50_ns"), placement: placement, timings: timings
    )
    return fields(("evidence", .text(evidence.word)))
}

private func operation(_ given: JsonObject) -> PlacedOperation {
    PlacedOperation(
        name: given.text("name"),
        kind: given.text("kind"),
        unit: given.known("unit").map { _ in unit(given) },
        cost: given.numberOrNil("cost")
    )
}

private func unit(_ given: JsonObject) -> ComputeUnit { ComputeUnit(rawValue: given.text("unit"))! }
