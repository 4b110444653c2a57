// Parts of a record that stand alone, as the tasks of a conformance check hold them. All throw
// `DocumentRefused` as the reading of a whole record does.

extension BenchProtocol {
    /// Read a protocol. Throws `DocumentRefused`.
    public init(json: Json) throws { self = try part("Protocol", json, readProtocol) }
}

extension Limits {
    /// Read the limits of a job. Throws `DocumentRefused`.
    public init(json: Json) throws { self = try part("Limits", json, readLimits) }
}

extension Policy {
    /// Read a policy. Throws `DocumentRefused`.
    public init(json: Json) throws { self = try part("Policy", json, readPolicy) }
}

extension Device {
    /// Read a device. Throws `DocumentRefused`.
    public init(json: Json) throws { self = try part("Device", json, readDevice) }
}

extension DeviceState {
    /// Read the state of a device. Throws `DocumentRefused`.
    public init(json: Json) throws { self = try part("DeviceState", json, readState) }
}

extension Samples {
    /// Read columns of samples. Throws `DocumentRefused`.
    public init(json: Json) throws { self = try part("Samples", json, readSamples) }
}

extension Measurement {
    /// Read a measurement. Throws `DocumentRefused`.
    public init(json: Json) throws { self = try part("Measurement", json, readMeasurement) }
}

private func part<Part>(
    _ name: String, _ json: Json, _ read: (JsonObject) throws -> Part
) throws -> Part {
    try refusing(name) { try read(schemas[name]!.read(json)) }
}

/// The schema of each part, with everything that the whole record defines.
private let schemas: [String: Schema] = {
    let defined = resource("record.v\(recordVersion)").asObject.part("$defs")
    let names = [
        "Protocol", "Limits", "Policy", "Device", "DeviceState", "Samples", "Measurement",
    ]
    return Dictionary(
        uniqueKeysWithValues: names.map { name in
            var schema = defined.part(name)
            schema["$defs"] = .object(defined)
            return (name, Schema(schema, DocumentRules()))
        }
    )
}()
