package mobilebench.core.documents

/** How one round came through the gate of its protocol. */
data class GateLog(val waitedNs: Long, val start: ThermalState?, val open: Boolean)

/** One thing that happened, on the clock of the samples. */
data class Event(
    val tNs: Long,
    val kind: EventKind,
    val fromWidth: Double? = null,
    val toWidth: Double? = null,
    val readings: Map<String, Double> = emptyMap(),
    val note: String? = null,
)

/** One inference per entry, in the order they ran; all columns have the same length. */
class Samples(
    val tNs: LongArray,
    val latencyNs: LongArray,
    val phase: Array<Phase>,
    val round: IntArray,
    /** Empty where the full network ran throughout. */
    val width: DoubleArray = DoubleArray(0),
) {
    val size: Int get() = tNs.size
}

/** One load of the model. */
data class Load(val kind: LoadKind, val ns: Long)

/** How far one output is from the one that was expected; null where it is not finite. */
data class OutputParity(val name: String, val maxRelativeError: Double?, val limit: Double) {
    val passed: Boolean get() = maxRelativeError != null && maxRelativeError <= limit
}

/** What the device computed on one unit before it was timed. */
data class UnitParity(val unit: ComputeUnit, val outputs: List<OutputParity>) {
    val passed: Boolean get() = outputs.all { it.passed }
}

/** Where one operation of the model is to run, as the device's own plan says. */
data class PlacedOperation(
    val name: String,
    val kind: String,
    /** Null where the plan does not say. */
    val unit: ComputeUnit?,
    val possible: List<ComputeUnit> = emptyList(),
    /** Its share of the whole, 0 to 1. */
    val cost: Double? = null,
)

/** The median latency with another unit asked for, in the same process. */
data class UnitTiming(val unit: ComputeUnit, val p50Ns: Double, val samples: Int)

/** The software that ran the model, with what it was asked for. */
data class RuntimeInfo(
    val name: String,
    val version: String,
    val computeUnitRequested: ComputeUnit,
    val computeUnitEvidence: UnitEvidence,
    val delegate: String?,
    val threads: Int,
    /** Options of the runtime that the runner set, by the runtime's own names. */
    val settings: Map<String, String> = emptyMap(),
)

/** The app that measured. */
data class Application(
    val name: String,
    val version: String,
    val build: Build,
    val runtimeBuild: Build? = null,
)

/** How the system treated the measuring process at one moment; null is not known. */
data class Scheduling(
    val tNs: Long,
    val foreground: Boolean? = null,
    val screenOn: Boolean? = null,
    val importance: String? = null,
    val cpuset: String? = null,
    val affinity: List<Int>? = null,
    val priority: Int? = null,
    val qos: String? = null,
    val fixedPerformance: Boolean? = null,
)

/** Why a job has no measurement. */
data class Failure(
    val stage: Stage,
    val error: String,
    val message: String,
    val logTail: String = "",
    val advice: String? = null,
) : Outcome
