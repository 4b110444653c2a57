import BenchCore

/// Answer a task of the kind `thermal`.
@Sendable func answerThermal(_ given: JsonObject) throws -> Json? {
    guard let policy = given["policy"] else { return nil }
    let widths = given.objects("widths").map {
        WidthCost(
            width: $0.number("width"), coolNs: $0.whole("cool_ns"), top1: $0.number("top1"))
    }
    let machine = try controller(
        of: Policy(json: policy), widths: widths, intervalNs: given.wholeOrNil("interval_ns"))
    var readings: [Int: ThermalReading] = [:]
    for reading in given.objects("readings") { readings[reading.whole("n")] = read(reading) }
    let times = given.wholeList("t_ns")
    let latencies = given.values("latency_ns").map { $0 == .null ? nil : $0.asInt }
    let indices = given.column("index")
    var chosen: [Int] = []
    var decisions: [Json] = []
    for n in times.indices {
        chosen.append(
            machine.decide(
                tNs: times[n], index: indices[n], latencyNs: latencies[n], reading: readings[n]))
        if machine.reason == .hold { continue }
        decisions.append(
            fields(
                ("n", .int(n)),
                ("reason", .text(machine.reason.word)),
                ("inputs", .object(JsonObject(machine.inputs.map { ($0, .double($1)) })))
            ))
    }
    return fields(("index", spans(chosen, Json.int)), ("decisions", .list(decisions)))
}

private func read(_ given: JsonObject) -> ThermalReading {
    let lacks = given.values("nan").map(\.asText)
    func number(_ name: String) -> Double? {
        lacks.contains(name) ? .nan : given.numberOrNil(name)
    }
    return ThermalReading(
        state: given.textOrNil("state").flatMap(ThermalState.init),
        headroom: number("headroom"),
        skinC: number("skin_c"),
        batteryC: number("battery_c"),
        cap: number("cap"),
        energyMj: number("energy_mj")
    )
}
