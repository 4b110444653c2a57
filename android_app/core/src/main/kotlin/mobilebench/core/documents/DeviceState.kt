package mobilebench.core.documents

/** The condition of a device at one moment; what cannot be read is null, never guessed. */
data class DeviceState(
    val tNs: Long,
    val thermal: ThermalState? = null,
    /** By the device's own name of each sensor. */
    val temperaturesC: Map<String, Double>? = null,
    /** Android's thermal headroom: 0 is cool, at 1 the system throttles severely. */
    val headroom: Double? = null,
    /** How old the headroom was when it was read. */
    val headroomAgeNs: Long? = null,
    val loadAverage: Double? = null,
    /** Share of all cores that other work kept busy just before, 0 to 1. */
    val busyFraction: Double? = null,
    /** Mean over the cores. */
    val cpuMhz: Double? = null,
    val governor: String? = null,
    val lowPowerMode: Boolean? = null,
    val batteryFraction: Double? = null,
    val charging: Boolean? = null,
    /** Highest clock that the system allows the fastest cores now. */
    val cpuCapMhz: Double? = null,
    /** Why a field is null, by the field's name in documents. */
    val unreadable: Map<String, Unreadable> = emptyMap(),
)

/** Cores of one kind. */
data class Cores(val count: Int, val maxMhz: Double? = null)

/** One device, as it describes itself. */
data class Device(
    val id: String,
    val kind: DeviceKind,
    val model: String,
    val soc: String? = null,
    val os: String,
    val osVersion: String,
    val osBuild: String? = null,
    val ramBytes: Long? = null,
    val cores: Int? = null,
    /** The slowest first; null where it is not known. */
    val clusters: List<Cores>? = null,
    val bootAgeNs: Long? = null,
)
