import BenchCore

/// Answer a task of the kind `record`: the canonical form, or why a record is refused.
///
/// A record with a signature that cannot be checked here is no answer.
@Sendable func answerRecord(_ given: JsonObject) throws -> Json? {
    guard let document = given.partOrNil("document") else { return try read(given.text("text")) }
    let form = unsigned(document).canonical
    return fields(("canonical", .text(form)), ("sha256", .text(sha256(form.utf8))))
}

private func read(_ text: String) throws -> Json? {
    let document = try readJson(text, "the record")
    if case .object(let record) = document {
        let intact = try requireIntact(record, "the record", check: signatureCheck())
        if intact == .unchecked { return nil }
    }
    return .object(try DocumentKind.record.read(document, "the record"))
}
