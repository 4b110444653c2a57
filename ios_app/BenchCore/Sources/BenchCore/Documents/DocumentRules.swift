/// The version of the jobs that this program reads, from 1 on.
public let jobVersion = 2
public let subjectVersion = 1
public let journalVersion = 1
public let recordVersion = 2

private let version = "schema_version"
private let versions: [String: ClosedRange<Int>] = [
    "Job": 1...jobVersion,
    "Subject": subjectVersion...subjectVersion,
    "Start": journalVersion...journalVersion,
    "Record": recordVersion...recordVersion,
]
private let mostElements = Int(Int32.max)

/// The rules of jobs, journals and records that their schemas cannot say.
///
/// What a record says of its model, recipe and artifact is passed on and has no rules here.
struct DocumentRules: Rules {
    func inThisVersion(_ name: String, _ fields: JsonObject) throws -> JsonObject {
        guard let known = versions[name] else { return fields }
        guard case .int(let given) = fields[version] else {
            throw Mismatch("there is no \(version), so it is not a mobilebench \(name)")
        }
        try need(
            given <= known.upperBound,
            "it has schema version \(given), newer than the \(known.upperBound) that this app "
                + "reads; update the app"
        )
        try need(
            given >= known.lowerBound,
            "it has schema version \(given); this app reads \(known.upperBound)"
        )
        var current = fields
        current[version] = .int(known.upperBound)
        return current
    }

    func check(_ name: String, _ read: JsonObject) throws {
        switch name {
        case "TensorSpec": try checkTensor(read)
        case "Variant": try requireFile(read, "model")
        case "ParityCheck": try checkParityCheck(read)
        case "Reporting": try requireInside(read.text("journal_file"))
        case "Policy": try checkPolicy(read)
        case "Job": try checkJob(read)
        case "DeviceState": try checkState(read)
        case "Event": try checkEvent(read)
        case "UnitTiming": try need(read.number("p50_ns") > 0, "p50_ns is not larger than 0")
        case "Power": try checkPower(read)
        case "Start": try requireUtc(read.text("created"))
        case "Line": try checkLine(read)
        case "Samples": try checkSamples(read)
        case "Measurement": try checkMeasurement(read)
        case "Record": try checkRecord(read)
        default: break
        }
        try requireRanges(name, read)
    }
}

private func checkTensor(_ tensor: JsonObject) throws {
    let name = tensor.text("name")
    let sizes = tensor.wholes("shape")
    try need(
        sizes.allSatisfy { $0 >= 1 },
        "the tensor \(name) has the shape \(sizes); every size is 1 or more"
    )
    let elements = sizes.reduce(1) { $0 > mostElements / $1 ? .max : $0 * $1 }
    try need(
        elements <= mostElements,
        "the tensor \(name) has the shape \(sizes), more than 2^31 numbers"
    )
}

private func requireFile(_ fields: JsonObject, _ kind: String) throws {
    let name = fields.text("\(kind)_file")
    let sha256 = fields.text("\(kind)_sha256")
    try requireInside(name)
    try need(
        sha256.utf8.count == 64 && sha256.utf8.allSatisfy { isDigit($0) || letters.contains($0) },
        "the sha256 of \(shown(name)) is \(shown(sha256)), not 64 small hexadecimal digits"
    )
}

private let letters = UInt8(ascii: "a")...UInt8(ascii: "f")

private func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
}

private func requireInside(_ name: String) throws {
    let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    try need(
        !parts.contains { $0.isEmpty || $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }
            && !name.utf8.contains(0),
        "the file \(shown(name)) is not a relative path inside the folder of the job"
    )
}

private func checkParityCheck(_ check: JsonObject) throws {
    try requireFile(check, "inputs")
    try requireFile(check, "expected")
    try need(!check.list("outputs").isEmpty, "a parity check has at least one output")
    let seeds = check.list("seeds").count
    let batches = check.whole("batches")
    try need(seeds == 0 || seeds == batches, "there are \(seeds) seeds for \(batches) batches")
}

private func checkPolicy(_ policy: JsonObject) throws {
    let parameters = policy.part("parameters").names
    for name in parameters {
        try need(
            isParameter(name), "the parameter \(shown(name)) is not small letters, digits and _"
        )
    }
    let isFixed = try policy.word("rule") == PolicyRule.fixed
    try need(
        !isFixed || parameters.isEmpty, "the policy fixed has no parameters, and has \(parameters)"
    )
}

private func isParameter(_ name: String) -> Bool {
    let small = UInt8(ascii: "a")...UInt8(ascii: "z")
    guard let first = name.utf8.first, small.contains(first) else { return false }
    return name.utf8.count <= 64
        && name.utf8.allSatisfy { small.contains($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
}

private func checkJob(_ job: JsonObject) throws {
    try requireFile(job, "model")
    try requireVariants(job)
    try requireJournal(job)
    if let url = job.textOrNil("upload_url") { try requireUrl(url) }
}

/// Require a journal that is neither another file of the job nor in one that is a folder.
private func requireJournal(_ job: JsonObject) throws {
    let journal = job.part("reporting").text("journal_file")
    for name in try readJob(job).files.keys.sorted() + [jobFile, subjectFile, recordFile] {
        let isApart = !"\(journal)/".utf8.starts(with: "\(name)/".utf8)
            && !name.utf8.starts(with: "\(journal)/".utf8)
        try need(isApart, "journal_file is \(journal), and \(name) has that place")
    }
}

private func requireVariants(_ job: JsonObject) throws {
    let variants = job.list("variants").map(\.asObject)
    guard let first = variants.first else {
        let rule: PolicyRule = try job.part("policy").word("rule")
        return try need(rule == .fixed, "the policy \(rule.word) has no variants to choose from")
    }
    try need(
        ["model_file", "model_sha256"].allSatisfy { first[$0] == job[$0] },
        "the first variant, \(first.text("name")), is not the model file of the job"
    )
    let names = variants.map { $0.text("name") }
    try need(
        Set(names.map(ExactText.init)).count == names.count,
        "two variants have the same name: \(names)"
    )
    let widths = variants.map { $0.number("width") }
    let falls = zip(widths, widths.dropFirst()).allSatisfy { $1 < $0 }
    try need(falls, "variants are not in the order of falling width: \(widths)")
}

private func requireUrl(_ url: String) throws {
    // Shown without what may be a password.
    let parts = url.utf8.split(
        separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false
    )
    let scheme = String(parts[0]) ?? ""
    try need(
        ["https", "http"].contains(scheme.lowercased()) && parts.count == 2
            && parts[1].starts(with: "//".utf8),
        "upload_url is not an address that begins with https://"
    )
    try need(
        url.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && !unfit.contains($0) },
        "upload_url is not an address: it holds a character that none has"
    )
    let authority = parts[1].dropFirst(2).prefix { !ends.contains($0) }
    try need(
        !authority.isEmpty && authority.first != UInt8(ascii: ":"),
        "upload_url is not an address that begins with https://"
    )
    try need(
        !authority.contains(UInt8(ascii: "@")),
        "upload_url holds a name or a password, and a record would show it"
    )
}

/// What ends the part of an address that names the host.
private let ends = Array("/?#".utf8)

/// What no address holds (RFC 3986, section 2).
private let unfit = Array("\"<>\\^`{|}".utf8)

private func checkState(_ state: JsonObject) throws {
    for (name, value) in (state.partOrNil("temperatures_c") ?? JsonObject()).fields {
        try need(
            celsius.contains(value.asNumber),
            "the sensor \(name) reads \(ecmaScript(value.asNumber)) degrees; a temperature is "
                + "from -40 to 150 degrees Celsius"
        )
    }
}

private func checkEvent(_ event: JsonObject) throws {
    let isShifted = event.known("from_width") != nil && event.known("to_width") != nil
    let kind: EventKind = try event.word("kind")
    try need(
        isShifted == (kind == .widthShift),
        "a width shift, and no other event, has the widths before and after"
    )
}

private func checkLine(_ line: JsonObject) throws {
    guard let samples = line.partOrNil("samples") else { return }
    try need(
        !samples.list("t_ns").isEmpty, "the line has columns of samples without a sample"
    )
    try need(line.known("peak_bytes") != nil, "the line has samples, and no peak_bytes")
}

private func checkSamples(_ samples: JsonObject) throws {
    let width = samples.list("width")
    var lengths: Set = [samples.list("t_ns").count, samples.list("latency_ns").count]
    for column in [samples.list("phase"), samples.list("round")] {
        lengths.insert(countedIn(column))
    }
    if !width.isEmpty { lengths.insert(countedIn(width)) }
    try need(lengths.count == 1, "sample columns differ in length: \(lengths.sorted())")
    try need(
        samples.wholes("latency_ns").allSatisfy { $0 > 0 },
        "a latency is zero or negative: the clock is broken or too coarse"
    )
    try requireOrder(samples.wholes("t_ns"), "samples")
}

/// Count the entries of a column in spans; a count that no column has stands for all such.
private func countedIn(_ spans: [Json]) -> Int {
    spans.reduce(0) { min($0 + $1.asObject.whole("count"), largestWhole) }
}

/// Require times that do not fall. Throws `Mismatch`.
func requireOrder(_ times: [Int], _ what: String) throws {
    try need(
        zip(times, times.dropFirst()).allSatisfy { $0 <= $1 },
        "\(what) are not in the order of time: the clock went backwards"
    )
}

private func checkPower(_ power: JsonObject) throws {
    let columns = ["t_ns", "level", "current", "voltage_mv", "charging"]
    let lengths = Set(columns.map { power.list($0).count })
    try need(lengths.count == 1, "power columns differ in length: \(lengths.sorted())")
}

private func checkMeasurement(_ measurement: JsonObject) throws {
    let phases = try measurement.part("samples").parts("phase") { try $0.word("value") as Phase }
    try need(
        phases.contains(.measured),
        "the measurement has no measured samples; what measured nothing is a failure"
    )
    for name in ["events", "scheduling", "states"] {
        try requireOrder(measurement.parts(name) { $0.whole("t_ns") }, name)
    }
}

private func checkRecord(_ record: JsonObject) throws {
    let id = record.text("record_id")
    try need(
        (1...64).contains(id.utf8.count) && id.utf8.allSatisfy { (0x21...0x7E).contains($0) },
        "the record_id \(shown(id)) is not 1 to 64 visible characters"
    )
    try requireUtc(record.text("created"))
    let outcome = record.part("outcome")
    if outcome.text("kind") != "measurement" { return }
    guard let job = record.partOrNil("job"), record.partOrNil("artifact") != nil else {
        throw Mismatch("a measurement needs the artifact and the job that it is about")
    }
    let rounds = job.part("protocol").whole("rounds")
    let last = outcome.part("samples").parts("round") { $0.whole("value") }.max() ?? 0
    try need(
        last < rounds,
        "a sample is of round \(last), and the protocol has the rounds 0 to \(rounds - 1)"
    )
}

private func requireUtc(_ created: String) throws {
    try need(
        Utc(created) != nil,
        "created is \(shown(created)), not a time in UTC such as 2026-01-02T03:04:05.678Z"
    )
}
