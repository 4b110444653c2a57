/// Read a job that fits its schema. Throws `Mismatch` for what this device cannot hold.
func readJob(_ job: JsonObject) throws -> Job {
    Job(
        schemaVersion: job.whole("schema_version"),
        modelFile: job.text("model_file"),
        modelSha256: job.text("model_sha256"),
        format: try job.word("format"),
        delegate: job.textOrNil("delegate"),
        inputs: try job.parts("inputs", readTensor),
        runtime: job.text("runtime"),
        computeUnit: try job.word("compute_unit"),
        threads: job.whole("threads"),
        benchProtocol: try readProtocol(job.part("protocol")),
        seed: job.whole("seed"),
        variants: job.parts("variants", readVariant),
        policy: try readPolicy(job.part("policy")),
        parity: try job.partOrNil("parity").map(readParityCheck),
        limits: try readLimits(job.part("limits")),
        reporting: readReporting(job.part("reporting")),
        uploadUrl: job.textOrNil("upload_url")
    )
}

private func readReporting(_ reporting: JsonObject) -> Reporting {
    Reporting(
        journalFile: reporting.text("journal_file"), everyNs: reporting.whole("every_ns")
    )
}

func readTensor(_ tensor: JsonObject) throws -> TensorSpec {
    let spec = TensorSpec(
        name: tensor.text("name"), shape: tensor.wholes("shape"), dtype: try tensor.word("dtype")
    )
    try need(
        spec.bytes <= mostBytes,
        "the tensor \(spec) has \(spec.bytes) bytes, more than a device can hold"
    )
    return spec
}

private let mostBytes = Int(Int32.max)

func readProtocol(_ given: JsonObject) throws -> BenchProtocol {
    BenchProtocol(
        id: given.text("id"),
        purpose: given.text("purpose"),
        rounds: given.whole("rounds"),
        warmUp: readWarmUp(given.part("warm_up")),
        inferences: given.whole("inferences"),
        minDurationNs: given.whole("min_duration_ns"),
        maxDurationNs: given.whole("max_duration_ns"),
        intervalNs: given.wholeOrNil("interval_ns"),
        coolDownNs: given.whole("cool_down_ns"),
        gate: try given.partOrNil("gate").map(readGate),
        senseNs: given.wholeOrNil("sense_ns"),
        windowNs: given.wholeOrNil("window_ns"),
        headline: try given.word("headline"),
        trim: given.whole("trim"),
        indicative: given.flag("indicative")
    )
}

private func readGate(_ gate: JsonObject) throws -> Gate {
    Gate(
        warmest: try gate.word("warmest"),
        pollNs: gate.whole("poll_ns"),
        maxWaitNs: gate.whole("max_wait_ns")
    )
}

private func readWarmUp(_ warmUp: JsonObject) -> WarmUp {
    WarmUp(
        minIterations: warmUp.whole("min_iterations"),
        minDurationNs: warmUp.whole("min_duration_ns"),
        maxDurationNs: warmUp.whole("max_duration_ns"),
        convergence: warmUp.partOrNil("convergence").map {
            Convergence(
                fast: $0.number("fast"),
                slow: $0.number("slow"),
                tolerance: $0.number("tolerance"),
                consecutive: $0.whole("consecutive")
            )
        }
    )
}

private func readVariant(_ variant: JsonObject) -> Variant {
    Variant(
        name: variant.text("name"),
        modelFile: variant.text("model_file"),
        modelSha256: variant.text("model_sha256"),
        width: variant.number("width"),
        entry: variant.textOrNil("entry"),
        accuracy: variant.partOrNil("accuracy").map {
            VariantAccuracy(
                top1: $0.number("top1"), source: $0.text("source"), measured: $0.flag("measured")
            )
        }
    )
}

func readPolicy(_ policy: JsonObject) throws -> Policy {
    Policy(
        rule: try policy.word("rule"),
        aim: try readAim(policy.part("aim")),
        parameters: policy.numbers("parameters")
    )
}

private func readAim(_ aim: JsonObject) throws -> Aim {
    Aim(
        deadlineNs: aim.wholeOrNil("deadline_ns"),
        warmest: try aim.wordOrNil("warmest"),
        headroom: aim.numberOrNil("headroom"),
        skinC: aim.numberOrNil("skin_c"),
        batteryC: aim.numberOrNil("battery_c"),
        uncapped: aim.flag("uncapped"),
        energyMj: aim.numberOrNil("energy_mj")
    )
}

func readLimits(_ limits: JsonObject) throws -> Limits {
    Limits(
        timeNs: limits.wholeOrNil("time_ns"),
        warmest: try limits.wordOrNil("warmest"),
        hottestC: limits.numberOrNil("hottest_c"),
        leastBattery: limits.numberOrNil("least_battery")
    )
}

private func readParityCheck(_ check: JsonObject) throws -> ParityCheck {
    ParityCheck(
        batches: check.whole("batches"),
        seeds: check.wholes("seeds"),
        inputsFile: check.text("inputs_file"),
        inputsSha256: check.text("inputs_sha256"),
        expectedFile: check.text("expected_file"),
        expectedSha256: check.text("expected_sha256"),
        outputs: try check.parts("outputs") {
            ExpectedOutput(
                tensor: try readTensor($0.part("tensor")),
                limit: $0.number("limit"),
                halfLimit: $0.number("half_limit")
            )
        }
    )
}
