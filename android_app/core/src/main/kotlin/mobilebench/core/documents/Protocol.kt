package mobilebench.core.documents

/** A warm-up ends when a fast and a slow moving average of the latency agree; see the contract. */
data class Convergence(
    val fast: Double = 0.1,
    val slow: Double = 0.005,
    val tolerance: Double = 0.04,
    val consecutive: Int = 40,
)

/** How long to run before samples count; every warm-up sample is kept and marked. */
data class WarmUp(
    val minIterations: Int,
    val minDurationNs: Long,
    val maxDurationNs: Long,
    val convergence: Convergence? = null,
)

/** Starts a round only on a rested device: its thermal state is [warmest] or cooler. */
data class Gate(
    val warmest: ThermalState = ThermalState.NOMINAL,
    val pollNs: Long = 1_000_000_000,
    val maxWaitNs: Long = 300_000_000_000,
)

/** The one number that a protocol makes of its samples. */
enum class Headline(override val word: String) : Word {
    MEDIAN("median"), P90("p90"), TRIMMED_MEAN("trimmed mean"),
}

/** Rounds of: wait for the gate, load the model, warm up, then measure. */
data class Protocol(
    val id: String,
    val purpose: String,
    val rounds: Int,
    val warmUp: WarmUp,
    val inferences: Int,
    val minDurationNs: Long,
    val maxDurationNs: Long,
    val intervalNs: Long? = null,
    val coolDownNs: Long = 0,
    val gate: Gate? = null,
    val senseNs: Long? = null,
    val windowNs: Long? = null,
    val headline: Headline = Headline.MEDIAN,
    val trim: Int = 0,
    val indicative: Boolean = false,
)
