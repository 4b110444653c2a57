package mobilebench.core.screens

/** Keys of the sentences for the diagnoses of a record, by the word that stands there. */
private val DIAGNOSES = mapOf(
    "too few samples" to TextKey.DIAGNOSIS_TOO_FEW_SAMPLES,
    "timer too coarse" to TextKey.DIAGNOSIS_TIMER_TOO_COARSE,
    "outputs differ" to TextKey.DIAGNOSIS_OUTPUTS_DIFFER,
    "not on the unit asked for" to TextKey.DIAGNOSIS_OTHER_UNIT,
    "debug build" to TextKey.DIAGNOSIS_DEBUG_BUILD,
    "not in front" to TextKey.DIAGNOSIS_NOT_IN_FRONT,
    "stopped early" to TextKey.DIAGNOSIS_STOPPED_EARLY,
    "cut off" to TextKey.DIAGNOSIS_CUT_OFF,
    "not gated" to TextKey.DIAGNOSIS_NOT_GATED,
    "throttled" to TextKey.DIAGNOSIS_THROTTLED,
    "clock capped" to TextKey.DIAGNOSIS_CLOCK_CAPPED,
    "drift with temperature" to TextKey.DIAGNOSIS_DRIFT_WITH_TEMPERATURE,
    "burst mistaken for sustained" to TextKey.DIAGNOSIS_BURST_NOT_SUSTAINED,
    "not converged" to TextKey.DIAGNOSIS_NOT_CONVERGED,
    "background load" to TextKey.DIAGNOSIS_BACKGROUND_LOAD,
    "more threads than cores" to TextKey.DIAGNOSIS_MORE_THREADS_THAN_CORES,
    "low power mode" to TextKey.DIAGNOSIS_LOW_POWER_MODE,
    "memory short" to TextKey.DIAGNOSIS_MEMORY_SHORT,
    "charger changed" to TextKey.DIAGNOSIS_CHARGER_CHANGED,
    "noisy samples" to TextKey.DIAGNOSIS_NOISY_SAMPLES,
    "bimodal latency" to TextKey.DIAGNOSIS_BIMODAL_LATENCY,
    "thermal state changed" to TextKey.DIAGNOSIS_THERMAL_STATE_CHANGED,
    "slow first run" to TextKey.DIAGNOSIS_SLOW_FIRST_RUN,
)

/** Return the sentence for a diagnosis; one that this app does not know stands as it is. */
fun diagnosisText(word: String): Text = DIAGNOSES[word]?.let { Text.of(it) } ?: Verbatim(word)
