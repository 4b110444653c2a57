import BenchCore

/// Answer a task of the kind `journal`: what was measured, or why a journal is refused.
@Sendable func answerJournal(_ given: JsonObject) throws -> Json? {
    let document = try JobDocument(given.text("job").utf8)
    let journal = try readJournal(given.text("text").utf8, jobSha256: document.sha256)
    let outcome: (String, Json) =
        switch try journal.outcome(document.job.benchProtocol) {
        case .measurement(let measurement): ("measurement", .object(measurement.json))
        case .failure(let failure):
            (
                "failure",
                fields(("stage", .text(failure.stage.word)), ("error", .text(failure.error)))
            )
        }
    return fields(
        ("lines", .int(journal.lines.count)),
        ("bytes", .int(journal.bytes)),
        ("left_out", .bool(journal.remark != nil)),
        ("ended", .bool(journal.ended)),
        ("next_round", .int(journal.nextRound)),
        ("last_ns", .int(journal.lastNs)),
        outcome
    )
}
