package mobilebench.core.documents

import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonObject

/** Read a job that fits its schema. Throws `Mismatch` for what this device cannot count. */
internal fun readJob(job: JsonObject) = Job(
    schemaVersion = job.count("schema_version"),
    modelFile = job.text("model_file"),
    modelSha256 = job.text("model_sha256"),
    format = job.word("format"),
    delegate = job.textOrNull("delegate"),
    inputs = job.parts("inputs", ::readTensor),
    runtime = job.text("runtime"),
    computeUnit = job.word("compute_unit"),
    threads = job.count("threads"),
    protocol = readProtocol(job.part("protocol")),
    seed = job.whole("seed"),
    variants = job.parts("variants", ::readVariant),
    policy = readPolicy(job.part("policy")),
    parity = job.partOrNull("parity")?.let(::readParityCheck),
    limits = readLimits(job.part("limits")),
    reporting = job.part("reporting").let {
        Reporting(it.text("journal_file"), it.whole("every_ns"))
    },
    uploadUrl = job.textOrNull("upload_url"),
)

internal fun readTensor(tensor: JsonObject): TensorSpec {
    val shape = tensor.list("shape").map { (it as JsonInt).value.toInt() }
    val spec = TensorSpec(tensor.text("name"), shape, tensor.word("dtype"))
    val bytes = spec.elements.toLong() * spec.dtype.bytes
    need(bytes <= Int.MAX_VALUE, "the tensor $spec has $bytes bytes, more than a device can hold")
    return spec
}

internal fun readProtocol(protocol: JsonObject) = Protocol(
    id = protocol.text("id"),
    purpose = protocol.text("purpose"),
    rounds = protocol.count("rounds"),
    warmUp = readWarmUp(protocol.part("warm_up")),
    inferences = protocol.count("inferences"),
    minDurationNs = protocol.whole("min_duration_ns"),
    maxDurationNs = protocol.whole("max_duration_ns"),
    intervalNs = protocol.wholeOrNull("interval_ns"),
    coolDownNs = protocol.whole("cool_down_ns"),
    gate = protocol.partOrNull("gate")?.let {
        Gate(it.word("warmest"), it.whole("poll_ns"), it.whole("max_wait_ns"))
    },
    senseNs = protocol.wholeOrNull("sense_ns"),
    windowNs = protocol.wholeOrNull("window_ns"),
    headline = protocol.word("headline"),
    trim = protocol.count("trim"),
    indicative = protocol.flag("indicative"),
)

private fun readWarmUp(warmUp: JsonObject) = WarmUp(
    minIterations = warmUp.count("min_iterations"),
    minDurationNs = warmUp.whole("min_duration_ns"),
    maxDurationNs = warmUp.whole("max_duration_ns"),
    convergence = warmUp.partOrNull("convergence")?.let {
        Convergence(
            it.number("fast"), it.number("slow"), it.number("tolerance"), it.count("consecutive")
        )
    },
)

private fun readVariant(variant: JsonObject) = Variant(
    name = variant.text("name"),
    modelFile = variant.text("model_file"),
    modelSha256 = variant.text("model_sha256"),
    width = variant.number("width"),
    entry = variant.textOrNull("entry"),
    accuracy = variant.partOrNull("accuracy")?.let {
        VariantAccuracy(it.number("top1"), it.text("source"), it.flag("measured"))
    },
)

internal fun readPolicy(policy: JsonObject) = Policy(
    rule = policy.word("rule"),
    aim = readAim(policy.part("aim")),
    parameters = policy.numbers("parameters"),
)

private fun readAim(aim: JsonObject) = Aim(
    deadlineNs = aim.wholeOrNull("deadline_ns"),
    warmest = aim.maybeWord("warmest"),
    headroom = aim.numberOrNull("headroom"),
    skinC = aim.numberOrNull("skin_c"),
    batteryC = aim.numberOrNull("battery_c"),
    uncapped = aim.flag("uncapped"),
    energyMj = aim.numberOrNull("energy_mj"),
)

internal fun readLimits(limits: JsonObject) = Limits(
    timeNs = limits.wholeOrNull("time_ns"),
    warmest = limits.maybeWord("warmest"),
    hottestC = limits.numberOrNull("hottest_c"),
    leastBattery = limits.numberOrNull("least_battery"),
)

private fun readParityCheck(check: JsonObject) = ParityCheck(
    batches = check.count("batches"),
    seeds = check.list("seeds").map { (it as JsonInt).value },
    inputsFile = check.text("inputs_file"),
    inputsSha256 = check.text("inputs_sha256"),
    expectedFile = check.text("expected_file"),
    expectedSha256 = check.text("expected_sha256"),
    outputs = check.parts("outputs") {
        ExpectedOutput(readTensor(it.part("tensor")), it.number("limit"), it.number("half_limit"))
    },
)

