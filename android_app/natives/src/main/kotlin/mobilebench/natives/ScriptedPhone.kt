package mobilebench.natives

import java.io.File
import java.io.IOException
import java.util.concurrent.locks.LockSupport
import mobilebench.core.documents.Application
import mobilebench.core.documents.Build
import mobilebench.core.documents.Device
import mobilebench.core.documents.DeviceKind
import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Power
import mobilebench.core.documents.Scheduling
import mobilebench.core.engine.EventLog
import mobilebench.core.engine.Instruments
import mobilebench.core.json.Json
import mobilebench.core.json.JsonDouble
import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText
import mobilebench.core.json.readJson
import mobilebench.core.running.Place
import mobilebench.core.sensors.CpuFiles
import mobilebench.core.sensors.Got
import mobilebench.core.sensors.Missing
import mobilebench.core.sensors.PhoneSensors
import mobilebench.core.sensors.RawBattery
import mobilebench.core.sensors.Reading
import mobilebench.core.sensors.StateReader
import mobilebench.core.sensors.SystemFiles
import mobilebench.core.sensors.resident
import mobilebench.core.sensors.threadPlace

private const val NS = 1e9

/**
 * A phone whose services say what a file says, as its scripted commands do.
 *
 * The file may change while a job runs. Each line of `heat` beside it holds seconds since the heat
 * began, the thermal status and the battery's temperature in tenths of a degree, in order of time.
 */
class ScriptedPhone(private val file: File) {
    private val heat: List<List<Double>> = File(file.parentFile, "heat").let { lines ->
        if (!lines.isFile) emptyList()
        else lines.readLines().map { line -> line.split(' ').map(String::toDouble) }
    }
    private val said get() = readJson(file.readBytes(), file.name) as JsonObject

    val application
        get() = Application("mobilebench for Android", said["app"].text("version"), Build.RELEASE)

    fun place(): Place = ScriptedPlace(this)

    fun device(cpu: CpuFiles): Device = said["properties"].let { properties ->
        Device(
            id = "android-${said.text("install")}",
            kind = DeviceKind.PHONE,
            model = properties.text("ro.product.manufacturer") + " " +
                properties.text("ro.product.model"),
            soc = properties.text("ro.soc.manufacturer") + " " + properties.text("ro.soc.model"),
            os = "Android",
            osVersion = properties.text("ro.build.version.release"),
            osBuild = properties.text("ro.build.fingerprint"),
            cores = cpu.cores,
            clusters = cpu.kinds(),
            bootAgeNs = (sinceBoot() * NS).toLong(),
        )
    }

    fun status(): Int =
        said["thermal_override"].whole() ?: now(1)?.toInt() ?: said["thermal_status"].whole() ?: 0

    fun battery(): RawBattery = said["battery"].let { battery ->
        RawBattery(
            level = battery.whole("level"),
            scale = battery.whole("scale"),
            status = battery.whole("status"),
            plugged = battery.whole("plugged"),
            temperature = now(2)?.toInt() ?: battery.whole("temperature"),
            voltage = battery.whole("voltage"),
            chargeCounter = battery.whole("Charge counter")?.toLong(),
        )
    }

    /** Return a column of the replayed heat; null where none is replayed. */
    private fun now(column: Int): Double? {
        val since = said["heat_began"].number() ?: return null
        val at = sinceBoot() - since
        return (heat.lastOrNull { it[0] <= at } ?: heat.firstOrNull())?.get(column)
    }

    private fun sinceBoot() = File("/proc/uptime").readText().substringBefore(' ').toDouble()
}

/** What the app's own place takes from Android's services is taken from the script. */
private class ScriptedPlace(private val phone: ScriptedPhone) : Place, Instruments, PhoneSensors {
    private val cpu = CpuFiles(SmallFiles)
    override val events = EventLog()
    private val reader = StateReader(this, cpu, events, ::nowNs)

    override val instruments: Instruments get() = this
    override val application = phone.application
    override val residentBytes: Long get() = resident(SmallFiles).nowBytes
    override val peakBytes: Long get() = resident(SmallFiles).peakBytes

    override fun nowNs(): Long = System.nanoTime()

    override fun waitNs(nanoseconds: Long) {
        val until = nowNs() + nanoseconds
        while (true) {
            val left = until - nowNs()
            if (left <= 0) return
            LockSupport.parkNanos(left)
        }
    }

    override fun device(): Device = phone.device(cpu)

    override fun sense(): DeviceState = reader.read()

    override fun state(): DeviceState = reader.read()

    override fun power(): Power? = reader.power.take()

    override fun scheduling(): Scheduling = threadPlace(SmallFiles).let { thread ->
        Scheduling(
            tNs = nowNs(),
            foreground = true,
            screenOn = true,
            importance = "foreground",
            cpuset = thread.cpuset,
            affinity = thread.affinity,
            priority = thread.nice,
            fixedPerformance = false,
        )
    }

    override fun thermalStatus(): Int = phone.status()

    override fun headroom(forecastS: Int): Float = Float.NaN

    // As the phone publishes them, so that the status 0 counts.
    override fun headroomThresholds(): Map<Int, Float> = mapOf(3 to 1f)

    override fun battery(): RawBattery = phone.battery()

    override fun powerSaver(): Boolean = false

    override fun memoryIsShort(): Boolean = false

    override fun audioMode(): Int = 0
}

private object SmallFiles : SystemFiles {
    override fun read(path: String): Reading<String> = try {
        Got(File(path).readText())
    } catch (_: IOException) {
        Missing.ABSENT
    }
}

private operator fun Json?.get(name: String): Json? = (this as? JsonObject)?.fields?.get(name)

private fun Json?.text(name: String): String = (this[name] as? JsonText)?.value.orEmpty()

private fun Json?.whole(): Int? = (this as? JsonInt)?.value?.toInt()

private fun Json?.whole(name: String): Int? = this[name].whole()

private fun Json?.number(): Double? = when (this) {
    is JsonInt -> value.toDouble()
    is JsonDouble -> value
    else -> null
}
