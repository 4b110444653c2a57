import Foundation

/// Which program made a record, and by which way the job came.
public struct Provenance: Hashable, Sendable {
    public var harnessVersion: String
    public var transport: String

    public init(harnessVersion: String, transport: String) {
        self.harnessVersion = harnessVersion
        self.transport = transport
    }

    fileprivate var json: JsonObject {
        var fields = JsonObject()
        fields.add("harness_version", harnessVersion)
        fields.addAlways("git_commit", nil)
        fields.addAlways("dirty", nil)
        fields.add("transport", transport)
        return fields
    }
}

/// Return a new id for a record: 32 hexadecimal digits, drawn at random.
public func newRecordId() -> String {
    UUID().uuidString.lowercased().replacingOccurrences(of: "-", with: "")
}

/// Make the record of a job from its journal, unsigned.
///
/// A journal without an end gives a measurement that is cut off. `crash` is what is known outside
/// the process that measured, where it failed. Throws `DocumentRefused` where lines contradict each
/// other.
public func recordOf(
    _ given: JobFolder,
    _ journal: Journal,
    _ provenance: Provenance,
    crash: Failure? = nil,
    id: String = newRecordId()
) throws -> JsonObject {
    let start = journal.starts.last!
    var record = JsonObject()
    record.add("schema_version", recordVersion)
    record.add("record_id", id)
    record.add("created", start.created)
    for name in ["model", "recipe", "artifact"] { record.addAlways(name, given.subject[name]) }
    record.add("device", start.device.json)
    record.add("job", given.document.tree)
    switch try journal.outcome(given.job.benchProtocol) {
    case .failure(let failure): record.add("outcome", (crash ?? failure).json)
    case .measurement(let measurement):
        record.add("outcome", judged(measurement, given.job.benchProtocol, start.device))
    }
    record.add("provenance", provenance.json)
    return record
}

/// Return a measurement with what makes it doubtful.
private func judged(
    _ measurement: Measurement, _ benchProtocol: BenchProtocol, _ device: Device
) -> JsonObject {
    let judgement = diagnose(measurement, benchProtocol, device)
    var fields = measurement.json
    fields.add("validity", judgement.validity)
    fields.add("reasons", judgement.reasons) { .text($0.word) }
    return fields
}
