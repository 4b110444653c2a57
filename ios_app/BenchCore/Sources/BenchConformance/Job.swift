import BenchCore

/// Answer a task of the kind `job`: what is understood of a job, or why it is refused.
@Sendable func answerJob(_ given: JsonObject) throws -> Json? {
    let document = try JobDocument(given.text("text").utf8)
    if let lack = abilities(given.part("able")).lacks(document.job) { throw DocumentRefused(lack) }
    try requireFiles(document.job, given.part("files"))
    let files = document.job.files.sorted { $0.key < $1.key }.map { ($0, Json.text($1)) }
    return fields(
        ("job_sha256", .text(document.sha256)),
        ("files", .object(JsonObject(files))),
        ("job", .object(document.tree))
    )
}

private func requireFiles(_ job: Job, _ present: JsonObject) throws {
    for (name, sha256) in job.files {
        guard let actual = present.textOrNil(name) else {
            throw DocumentRefused("there is no \(name)")
        }
        if actual != sha256 {
            throw DocumentRefused("\(name) has sha256 \(actual), and the job names \(sha256)")
        }
    }
}

private func abilities(_ able: JsonObject) -> Abilities {
    func words(_ name: String) -> [String] { able.values(name).map(\.asText) }
    return Abilities(
        runtimes: words("runtimes"),
        computeUnits: words("compute_units").compactMap(ComputeUnit.init),
        policies: words("policies").compactMap(PolicyRule.init),
        uploads: able.flagOrNil("uploads") ?? false
    )
}
