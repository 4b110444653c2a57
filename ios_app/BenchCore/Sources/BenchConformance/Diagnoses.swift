import BenchCore

/// Answer a task of the kind `diagnoses`.
@Sendable func answerDiagnoses(_ given: JsonObject) throws -> Json? {
    guard let measurement = given["measurement"], let benchProtocol = given["protocol"],
        let device = given["device"]
    else { return nil }
    let judgement = diagnose(
        try Measurement(json: measurement),
        try BenchProtocol(json: benchProtocol),
        try Device(json: device)
    )
    return fields(
        ("validity", .text(judgement.validity.word)),
        ("reasons", .list(judgement.reasons.map { .text($0.word) }))
    )
}
