/// Keys of the sentences for the diagnoses of a record, by the word that stands there.
private let diagnoses: [String: TextKey] = [
    "too few samples": .diagnosisTooFewSamples,
    "timer too coarse": .diagnosisTimerTooCoarse,
    "outputs differ": .diagnosisOutputsDiffer,
    "not on the unit asked for": .diagnosisOtherUnit,
    "debug build": .diagnosisDebugBuild,
    "not in front": .diagnosisNotInFront,
    "stopped early": .diagnosisStoppedEarly,
    "cut off": .diagnosisCutOff,
    "not gated": .diagnosisNotGated,
    "throttled": .diagnosisThrottled,
    "clock capped": .diagnosisClockCapped,
    "drift with temperature": .diagnosisDriftWithTemperature,
    "burst mistaken for sustained": .diagnosisBurstNotSustained,
    "not converged": .diagnosisNotConverged,
    "background load": .diagnosisBackgroundLoad,
    "more threads than cores": .diagnosisMoreThreadsThanCores,
    "low power mode": .diagnosisLowPowerMode,
    "memory short": .diagnosisMemoryShort,
    "charger changed": .diagnosisChargerChanged,
    "noisy samples": .diagnosisNoisySamples,
    "bimodal latency": .diagnosisBimodalLatency,
    "thermal state changed": .diagnosisThermalStateChanged,
    "slow first run": .diagnosisSlowFirstRun,
]

/// Return the sentence for a diagnosis; one that this app does not know stands as it is.
func diagnosisPhrase(_ word: String) -> Phrase {
    diagnoses[word].map { .of($0) } ?? .verbatim(word)
}
