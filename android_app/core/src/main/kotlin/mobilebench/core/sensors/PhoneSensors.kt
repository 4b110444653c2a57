package mobilebench.core.sensors

import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.EventKind
import mobilebench.core.documents.Unreadable
import mobilebench.core.engine.EventLog

/** What Android's services answer, raw. Each call is quick and throws nothing. */
interface PhoneSensors {
    /** Android's thermal status; null before Android 10. */
    fun thermalStatus(): Int?

    /** Android's thermal headroom; NaN where it gives none. Before Android 11 always NaN. */
    fun headroom(forecastS: Int): Float

    /** The published thresholds of the headroom by status; empty where there are none. */
    fun headroomThresholds(): Map<Int, Float>

    fun battery(): RawBattery

    /** Whether the power saver is on. */
    fun powerSaver(): Boolean?

    /** Whether the system says that it is short of memory. */
    fun memoryIsShort(): Boolean

    /** Android's audio mode: 0 is normal, others are calls. */
    fun audioMode(): Int
}

/** Puts raw answers together as the state of a device, and tells [events] what changed. */
class StateReader(
    private val sensors: PhoneSensors,
    private val cpu: CpuFiles,
    private val events: EventLog,
    private val nowNs: () -> Long,
) {
    private val status = ThermalStatus()
    private val headroom = HeadroomReader(sensors::headroom)
    private var capMhz: Double? = null
    private var short = false
    private var inCall = false

    /** What the battery said with each reading. */
    val power = PowerLog()

    /** Whether something has shown that the thermal sensors work. */
    val thermalWorks: Boolean get() = status.works

    init {
        status.sawThresholds(sensors.headroomThresholds())
        // The first answer starts the system's sampler and holds nothing; the next ones do.
        headroom.read(nowNs())
    }

    /** Read the state now. */
    fun read(): DeviceState {
        val room = headroom.read(nowNs())
        room.value?.let { status.sawHeadroom(it.value) }
        val thermal = status.read(sensors.thermalStatus())
        val battery = batteryOf(sensors.battery())
        val saver = sensors.powerSaver()
        val clock = cpu.clockMhz()
        val cap = cpu.capMhz()
        val governor = cpu.governor()
        val tNs = nowNs()
        power.add(tNs, battery)
        watch(cap.value)
        return DeviceState(
            tNs = tNs,
            thermal = thermal.value,
            temperaturesC = battery.temperatureC?.let { mapOf("battery" to it) },
            headroom = room.value?.value,
            headroomAgeNs = room.value?.ageNs,
            cpuMhz = clock.value,
            governor = governor.value,
            lowPowerMode = saver,
            batteryFraction = battery.fraction,
            charging = battery.charging,
            cpuCapMhz = cap.value,
            unreadable = reasons(
                "thermal" to thermal,
                "headroom" to room,
                "headroom_age_ns" to room,
                "temperatures_c" to known(battery.temperatureC),
                "load_average" to Missing.DENIED,
                "busy_fraction" to Missing.DENIED,
                "cpu_mhz" to clock,
                "governor" to governor,
                "low_power_mode" to known(saver),
                "battery_fraction" to known(battery.fraction),
                "charging" to known(battery.charging),
                "cpu_cap_mhz" to cap,
            ),
        )
    }

    private fun watch(cap: Double?) {
        if (cap != null) {
            val before = capMhz
            if (before != null && cap != before) {
                events.add(EventKind.CLOCK_CAP, mapOf("cap_mhz" to cap))
            }
            capMhz = cap
        }
        val nowShort = sensors.memoryIsShort()
        if (nowShort && !short) events.add(EventKind.MEMORY_WARNING)
        short = nowShort
        val nowInCall = isCall(sensors.audioMode())
        if (nowInCall && !inCall) events.add(EventKind.CALL)
        inCall = nowInCall
    }
}

private fun <T> known(value: T?): Reading<T> = if (value == null) Missing.ABSENT else Got(value)

private fun reasons(vararg readings: Pair<String, Reading<*>>): Map<String, Unreadable> =
    readings.mapNotNull { (name, reading) -> (reading as? Missing)?.let { name to it.why } }.toMap()

/** Whether an audio mode of Android is that of a call, also one that rings. */
fun isCall(audioMode: Int): Boolean = audioMode in 1..6

/**
 * Whether a call of `onTrimMemory` says that memory is short.
 *
 * Most levels only say that the app is not in front. Taking those for a shortage would free the
 * model in the middle of a run.
 */
fun isMemoryShort(trimLevel: Int): Boolean = trimLevel == 10 || trimLevel == 15
