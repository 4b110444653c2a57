package mobilebench.core.sensors

/** What Android says of the battery, raw; null is not given. */
data class RawBattery(
    val level: Int? = null,
    val scale: Int? = null,
    /** A constant of `BatteryManager`. */
    val status: Int? = null,
    /** 0 on battery, else the kinds of chargers. */
    val plugged: Int? = null,
    val temperature: Int? = null,
    val voltage: Int? = null,
    /** Of the property, which phones give in microampere or milliampere, with either sign. */
    val currentNow: Long? = null,
    /** Of the property, in microampere hours where it is a counter. */
    val chargeCounter: Long? = null,
)

/** The battery in the units of documents; null is not known. */
data class Battery(
    val fraction: Double?,
    val charging: Boolean?,
    val plugged: Boolean?,
    val temperatureC: Double?,
    val voltageMv: Long?,
    /** As the device gives it. */
    val current: Long?,
    val counter: Long?,
)

private const val STATUS_CHARGING = 2
private val STATUSES_WITHOUT_CHARGING = setOf(3, 4, 5)
private const val MOST_CURRENT = 50_000_000L
private val MILLIVOLT = 500L..60_000L

/** What devices without the sensor give. */
private const val NO_SENSOR_C = 0.0
private val CELSIUS = -30.0..100.0

/** Return what raw values mean; what is out of range or a mark for nothing is null. */
fun batteryOf(raw: RawBattery): Battery = Battery(
    fraction = fraction(raw.level, raw.scale),
    // Plugged is not charging: at a limit of 80 %, on a dock, or when full, nothing flows in.
    charging = when (raw.status) {
        STATUS_CHARGING -> true
        in STATUSES_WITHOUT_CHARGING -> false
        else -> null
    },
    plugged = raw.plugged?.takeIf { it >= 0 }?.let { it != 0 },
    temperatureC = raw.temperature?.let { it / 10.0 }
        ?.takeIf { it in CELSIUS && it != NO_SENSOR_C },
    voltageMv = raw.voltage?.toLong()?.takeIf { it in MILLIVOLT },
    current = raw.currentNow?.takeIf { it in -MOST_CURRENT..MOST_CURRENT },
    counter = raw.chargeCounter?.takeIf { it > 0 && it < Int.MAX_VALUE },
)

private fun fraction(level: Int?, scale: Int?): Double? {
    if (level == null || scale == null || scale <= 0 || level !in 0..scale) return null
    return level.toDouble() / scale
}
