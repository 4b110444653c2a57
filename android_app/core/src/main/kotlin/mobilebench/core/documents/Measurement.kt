package mobilebench.core.documents

/** What comes of a job: a measurement, or the reason why there is none. */
sealed interface Outcome

/** Times from the file to a network that can run. */
class Loads(
    /** The first load of a fresh process. */
    val firstNs: Long,
    /** Loads of later rounds in the same process. */
    val warmNs: LongArray = LongArray(0),
    /** With nothing in the system's caches; null where it was not measured. */
    val firstEverNs: Long? = null,
    /** First loads of other fresh processes. */
    val coldNs: LongArray = LongArray(0),
)

/** Resident memory of the measuring process. */
data class Memory(
    val peakBytes: Long,
    /** With the runtime loaded and no model. */
    val beforeLoadBytes: Long,
)

/** What a device's reading of the current is in. */
enum class CurrentUnit(override val word: String) : Word {
    MICROAMPERE("uA"), MILLIAMPERE("mA"), UNKNOWN("unknown"),
}

/** Which sign of the current means that the battery is drained. */
enum class Discharging(override val word: String) : Word {
    NEGATIVE("negative"), POSITIVE("positive"), UNKNOWN("unknown"),
}

/** One reading of the battery; the current is as the device gives it, never scaled. */
data class PowerReading(
    val tNs: Long,
    /** Charge of the battery, 0 to 1. */
    val level: Double? = null,
    val current: Long? = null,
    val voltageMv: Long? = null,
    val charging: Boolean? = null,
)

/** The battery over a measurement, and what is known of its readings. */
data class Power(
    val readings: List<PowerReading>,
    val currentUnit: CurrentUnit = CurrentUnit.UNKNOWN,
    val discharging: Discharging = Discharging.UNKNOWN,
    /** Whether the charge counter agrees with the level; null where it was not checked. */
    val counterTrusted: Boolean? = null,
    /** Why an energy cannot be computed, in clauses. */
    val doubts: List<String> = emptyList(),
)

/** What was measured for one job. */
class Measurement(
    val runtime: RuntimeInfo,
    val samples: Samples,
    val loads: Loads,
    val memory: Memory,
    val before: DeviceState,
    val after: DeviceState,
    val gates: List<GateLog> = emptyList(),
    val states: List<DeviceState> = emptyList(),
    val events: List<Event> = emptyList(),
    val power: Power? = null,
    val scheduling: List<Scheduling> = emptyList(),
    val application: Application? = null,
    val parity: List<UnitParity> = emptyList(),
    /** The device's own plan; null where it tells none. */
    val placement: List<PlacedOperation>? = null,
    val unitTimings: List<UnitTiming> = emptyList(),
    /** The limit that ended it; null where it ran to its end. */
    val stopped: Stop? = null,
    /** Whether it was read from the journal of a run that did not end. */
    val cutOff: Boolean = false,
) : Outcome
