package mobilebench.core.diagnoses

import mobilebench.core.documents.Word

/** Whether a measurement may be read as a result. */
enum class Validity(override val word: String) : Word { VALID("valid"), SUSPECT("suspect") }

/** What can be wrong with a measurement, the most serious first. */
enum class Diagnosis(override val word: String) : Word {
    TOO_FEW_SAMPLES("too few samples"),
    TIMER_TOO_COARSE("timer too coarse"),
    OUTPUTS_DIFFER("outputs differ"),
    OTHER_UNIT("not on the unit asked for"),
    DEBUG_BUILD("debug build"),
    NOT_IN_FRONT("not in front"),
    STOPPED_EARLY("stopped early"),
    CUT_OFF("cut off"),
    NOT_GATED("not gated"),
    THROTTLED("throttled"),
    CLOCK_CAPPED("clock capped"),
    DRIFT_WITH_TEMPERATURE("drift with temperature"),
    BURST_NOT_SUSTAINED("burst mistaken for sustained"),
    NOT_CONVERGED("not converged"),
    BACKGROUND_LOAD("background load"),
    MORE_THREADS_THAN_CORES("more threads than cores"),
    LOW_POWER_MODE("low power mode"),
    MEMORY_SHORT("memory short"),
    CHARGER_CHANGED("charger changed"),
    NOISY_SAMPLES("noisy samples"),
    BIMODAL_LATENCY("bimodal latency"),
    THERMAL_STATE_CHANGED("thermal state changed"),
    SLOW_FIRST_RUN("slow first run"),
}

/** What makes a measurement doubtful, the most serious first. */
data class Judgement(val reasons: List<Diagnosis>) {
    /** Warm-up samples do not count, so a slow first one leaves the numbers valid. */
    val validity: Validity
        get() = if (reasons.all { it == Diagnosis.SLOW_FIRST_RUN }) Validity.VALID
        else Validity.SUSPECT
}
