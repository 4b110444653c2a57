extension Line {
    /// Return the line with its number, as it stands in the file.
    public func json(number: Int) -> JsonObject {
        var fields = JsonObject()
        fields.add("n", number)
        fields.add("start", start?.json)
        fields.add("parity", parity) { .object($0.json) }
        fields.addPlacement(placement)
        fields.add("unit_timings", unitTimings) { .object($0.json) }
        fields.add("loads", loads) { .object($0.json) }
        fields.add("gates", gates) { .object($0.json) }
        fields.add("samples", samples?.json)
        fields.add("states", states) { .object($0.json) }
        fields.add("events", events) { .object($0.json) }
        fields.add("power", power?.json)
        fields.add("scheduling", scheduling) { .object($0.json) }
        fields.add("peak_bytes", peakBytes)
        fields.add("round_ended", roundEnded)
        fields.add("end", end?.json)
        return fields
    }
}

extension Start {
    fileprivate var json: JsonObject {
        var fields = JsonObject()
        fields.add("schema_version", journalVersion)
        fields.add("job_sha256", jobSha256)
        fields.add("created", created)
        fields.add("t_ns", tNs)
        fields.add("round", round)
        fields.add("device", device.json)
        fields.add("runtime", runtime.json)
        fields.add("application", application?.json)
        fields.add("before", before.json)
        fields.add("before_load_bytes", beforeLoadBytes)
        return fields
    }
}

extension End {
    fileprivate var json: JsonObject {
        var fields = JsonObject()
        fields.add("after", after.json)
        fields.add("stopped", stopped)
        fields.add("failure", failure?.json)
        return fields
    }
}

/// Read a line, with the number that it gives itself.
///
/// Throws `DocumentRefused` for one of another version or form.
func readLine(_ json: Json, _ what: String) throws -> (n: Int, line: Line) {
    let tree = try DocumentKind.line.read(json, what)
    return (tree.whole("n"), try refusing(what) { try readLine(tree) })
}

private func readLine(_ line: JsonObject) throws -> Line {
    Line(
        start: try line.partOrNil("start").map(readStart),
        parity: try line.parts("parity", readParity),
        placement: try readPlacement(line),
        unitTimings: try line.parts("unit_timings", readTiming),
        loads: try line.parts("loads", readLoad),
        gates: try line.parts("gates", readGateLog),
        samples: try line.partOrNil("samples").map(readSamples),
        states: try line.parts("states", readState),
        events: try line.parts("events", readEvent),
        power: try line.partOrNil("power").map(readPower),
        scheduling: line.parts("scheduling", readScheduling),
        peakBytes: line.wholeOrNil("peak_bytes"),
        roundEnded: line.wholeOrNil("round_ended"),
        end: try line.partOrNil("end").map(readEnd)
    )
}

private func readStart(_ start: JsonObject) throws -> Start {
    Start(
        jobSha256: start.text("job_sha256"),
        created: start.text("created"),
        tNs: start.whole("t_ns"),
        round: start.whole("round"),
        device: try readDevice(start.part("device")),
        runtime: try readRuntime(start.part("runtime")),
        application: try start.partOrNil("application").map(readApplication),
        before: try readState(start.part("before")),
        beforeLoadBytes: start.whole("before_load_bytes")
    )
}

private func readEnd(_ end: JsonObject) throws -> End {
    End(
        after: try readState(end.part("after")),
        stopped: try end.wordOrNil("stopped"),
        failure: try end.partOrNil("failure").map(readFailure)
    )
}
