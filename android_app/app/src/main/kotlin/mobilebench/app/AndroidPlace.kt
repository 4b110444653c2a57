package mobilebench.app

import android.app.ActivityManager
import android.content.Context
import android.os.PowerManager
import java.util.concurrent.locks.LockSupport
import mobilebench.core.documents.Application
import mobilebench.core.documents.Device
import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Power
import mobilebench.core.documents.Scheduling
import mobilebench.core.engine.EventLog
import mobilebench.core.engine.Instruments
import mobilebench.core.running.Place
import mobilebench.core.sensors.CpuFiles
import mobilebench.core.sensors.StateReader
import mobilebench.core.sensors.importanceWord
import mobilebench.core.sensors.resident
import mobilebench.core.sensors.threadPlace

/** This phone, as a run uses it. */
class AndroidPlace(
    private val context: Context,
    override val events: EventLog,
    /** Whether the activity of the run is in front; asked on any thread. */
    private val isInFront: () -> Boolean,
    private val sustainedPerformance: Boolean,
) : Place, Instruments {
    private val cpu = CpuFiles(LinuxFiles)
    private val reader = StateReader(AndroidSensors(context), cpu, events, ::nowNs)
    private val power = context.getSystemService(PowerManager::class.java)

    override val instruments: Instruments get() = this
    override val application: Application = describeApp(context)

    val thermalSensorsWork: Boolean get() = reader.thermalWorks

    override fun device(): Device = describeDevice(context, cpu)

    // It stands still while the device sleeps; a device in front with its screen on does not.
    override fun nowNs(): Long = System.nanoTime()

    override fun waitNs(nanoseconds: Long) {
        val until = nowNs() + nanoseconds
        while (true) {
            val left = until - nowNs()
            if (left <= 0) return
            LockSupport.parkNanos(left)
        }
    }

    override fun sense(): DeviceState = reader.read()

    override fun state(): DeviceState = reader.read()

    override fun scheduling(): Scheduling {
        val place = threadPlace(LinuxFiles)
        val process = ActivityManager.RunningAppProcessInfo()
        ActivityManager.getMyMemoryState(process)
        return Scheduling(
            tNs = nowNs(),
            foreground = isInFront(),
            screenOn = power.isInteractive,
            importance = importanceWord(process.importance),
            cpuset = place.cpuset,
            affinity = place.affinity,
            priority = place.nice,
            fixedPerformance = sustainedPerformance,
        )
    }

    override fun power(): Power? = reader.power.take()

    override val residentBytes: Long get() = resident(LinuxFiles).nowBytes

    override val peakBytes: Long get() = resident(LinuxFiles).peakBytes
}

