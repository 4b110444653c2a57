package mobilebench.app

import android.app.ActivityManager
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.media.AudioManager
import android.os.BatteryManager
import android.os.Build
import android.os.PowerManager
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import mobilebench.core.sensors.Got
import mobilebench.core.sensors.Missing
import mobilebench.core.sensors.PhoneSensors
import mobilebench.core.sensors.RawBattery
import mobilebench.core.sensors.Reading
import mobilebench.core.sensors.SystemFiles
import mobilebench.core.sensors.pageBytesOf

/** Asks Android's services; what their answers mean is decided in core. */
class AndroidSensors(private val context: Context) : PhoneSensors {
    private val power = context.getSystemService(PowerManager::class.java)
    private val batteries = context.getSystemService(BatteryManager::class.java)
    private val activities = context.getSystemService(ActivityManager::class.java)
    private val audio = context.getSystemService(AudioManager::class.java)
    private val memory = ActivityManager.MemoryInfo()

    override fun thermalStatus(): Int? =
        if (Build.VERSION.SDK_INT >= 29) power.currentThermalStatus else null

    override fun headroom(forecastS: Int): Float =
        if (Build.VERSION.SDK_INT >= 30) power.getThermalHeadroom(forecastS) else Float.NaN

    override fun headroomThresholds(): Map<Int, Float> = HeadroomThresholds.read(power)

    override fun battery(): RawBattery {
        // Without a receiver this returns the last broadcast at once.
        val last = context.registerReceiver(null, IntentFilter(Intent.ACTION_BATTERY_CHANGED))
        return RawBattery(
            level = last?.number(BatteryManager.EXTRA_LEVEL),
            scale = last?.number(BatteryManager.EXTRA_SCALE),
            status = last?.number(BatteryManager.EXTRA_STATUS),
            plugged = last?.number(BatteryManager.EXTRA_PLUGGED),
            temperature = last?.number(BatteryManager.EXTRA_TEMPERATURE),
            voltage = last?.number(BatteryManager.EXTRA_VOLTAGE),
            currentNow = property(BatteryManager.BATTERY_PROPERTY_CURRENT_NOW),
            chargeCounter = property(BatteryManager.BATTERY_PROPERTY_CHARGE_COUNTER),
        )
    }

    override fun powerSaver(): Boolean = power.isPowerSaveMode

    override fun memoryIsShort(): Boolean {
        activities.getMemoryInfo(memory)
        return memory.lowMemory
    }

    override fun audioMode(): Int = audio.mode

    /** Android gives the least number where it has no value; as an Int, Android 8 makes it a 0. */
    private fun property(id: Int): Long? =
        batteries.getLongProperty(id).takeIf { it != Long.MIN_VALUE }

    private fun Intent.number(name: String): Int? =
        getIntExtra(name, Int.MIN_VALUE).takeIf { it != Int.MIN_VALUE }
}

/** Asks for the thresholds of the thermal headroom, which Android has from 15 (API 35) on. */
private object HeadroomThresholds {
    /** The app is compiled for Android 14, without the call: it is looked up by name. */
    fun read(power: PowerManager): Map<Int, Float> {
        if (Build.VERSION.SDK_INT < 35) return emptyMap()
        return try {
            val answer = PowerManager::class.java.getMethod("getThermalHeadroomThresholds")
                .invoke(power) as? Map<*, *>
            answer.orEmpty().entries.mapNotNull { (status, headroom) ->
                if (status is Int && headroom is Float) status to headroom else null
            }.toMap()
        } catch (_: ReflectiveOperationException) {
            // Also where the system throws: its sensors are not ready.
            emptyMap()
        }
    }
}

/** Reads the system's own small files, and tells what is not there from what is forbidden. */
object LinuxFiles : SystemFiles {
    override fun read(path: String): Reading<String> = try {
        Got(File(path).readText())
    } catch (_: FileNotFoundException) {
        // Java says the same of both.
        if (File(path).exists()) Missing.DENIED else Missing.ABSENT
    } catch (_: IOException) {
        // Of a core that is off.
        Missing.NOT_READY
    } catch (_: SecurityException) {
        Missing.DENIED
    }

    /** Return the size of a page of memory; null where the system does not tell. */
    fun pageBytes(): Long? = try {
        pageBytesOf(File("/proc/self/auxv").readBytes())
    } catch (_: IOException) {
        null
    }
}
