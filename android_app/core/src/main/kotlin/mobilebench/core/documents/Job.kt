package mobilebench.core.documents

/** The accuracy of a variant, and where it comes from. */
data class VariantAccuracy(val top1: Double, val source: String, val measured: Boolean)

/** One network of several between which a policy chooses. */
data class Variant(
    val name: String,
    val modelFile: String,
    val modelSha256: String,
    /** As a share of the channels of the full network. */
    val width: Double,
    /** What chooses it in a file of several widths; its form depends on the format. */
    val entry: String? = null,
    val accuracy: VariantAccuracy? = null,
)

/** One output of the network, and how far a device may be off. */
data class ExpectedOutput(val tensor: TensorSpec, val limit: Double, val halfLimit: Double) {
    fun limitOn(unit: ComputeUnit): Double = if (unit == ComputeUnit.CPU) limit else halfLimit
}

/** Inputs with expected outputs, which a device computes before it is timed. */
data class ParityCheck(
    val batches: Int,
    val seeds: List<Long> = emptyList(),
    val inputsFile: String,
    val inputsSha256: String,
    val expectedFile: String,
    val expectedSha256: String,
    val outputs: List<ExpectedOutput>,
)

/** What a policy has to keep; a limit that is null is not an aim. */
data class Aim(
    val deadlineNs: Long? = null,
    val warmest: ThermalState? = null,
    val headroom: Double? = null,
    val skinC: Double? = null,
    val batteryC: Double? = null,
    val uncapped: Boolean = false,
    val energyMj: Double? = null,
)

/** A rule, its aim, and the numbers that it is tuned by. */
data class Policy(
    val rule: PolicyRule = PolicyRule.FIXED,
    val aim: Aim = Aim(),
    val parameters: Map<String, Double> = emptyMap(),
)

/** Where a device stops by itself and keeps what it has; null is no limit. */
data class Limits(
    val timeNs: Long? = null,
    val warmest: ThermalState? = null,
    val hottestC: Double? = null,
    val leastBattery: Double? = null,
) {
    /** Return the limit that a reading is beyond; null where it is within all of them. */
    fun passedBy(state: DeviceState): Stop? {
        if (warmest != null && state.thermal != null && state.thermal > warmest) return Stop.HEAT
        val hottest = state.temperaturesC?.values?.maxOrNull()
        if (hottestC != null && hottest != null && hottest > hottestC) return Stop.HEAT
        val charge = state.batteryFraction
        val drained = leastBattery != null && charge != null && charge < leastBattery
        return if (drained && state.charging != true) Stop.BATTERY else null
    }
}

/** How a device tells of its progress. */
data class Reporting(
    val journalFile: String = "journal.jsonl",
    val everyNs: Long = 1_000_000_000,
)

/** Run one model on one runtime by one protocol. Files are relative to the folder of the job. */
data class Job(
    val schemaVersion: Int,
    val modelFile: String,
    val modelSha256: String,
    val format: Format,
    val delegate: String?,
    val inputs: List<TensorSpec>,
    val runtime: String,
    val computeUnit: ComputeUnit = ComputeUnit.CPU,
    val threads: Int = 1,
    val protocol: Protocol,
    val seed: Long = 0,
    /** Every network that the policy may choose, the widest first; empty where there is one. */
    val variants: List<Variant> = emptyList(),
    val policy: Policy = Policy(),
    val parity: ParityCheck? = null,
    val limits: Limits = Limits(),
    val reporting: Reporting = Reporting(),
    val uploadUrl: String? = null,
)
