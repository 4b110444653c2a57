import BenchCore

/// Answer a task of the kind `protocol`: the definition behind an id.
@Sendable func answerProtocol(_ given: JsonObject) -> Json? {
    Protocols.definition(given.text("id")).map(Json.object)
}
