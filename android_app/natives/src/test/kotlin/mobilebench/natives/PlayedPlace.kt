package mobilebench.natives

import mobilebench.core.documents.Application
import mobilebench.core.documents.Build
import mobilebench.core.documents.Device
import mobilebench.core.documents.DeviceKind
import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Power
import mobilebench.core.documents.Scheduling
import mobilebench.core.documents.ThermalState
import mobilebench.core.engine.EventLog
import mobilebench.core.engine.Instruments
import mobilebench.core.running.Place

private const val MS = 1_000_000L
private const val S = 1000 * MS

/**
 * A device whose inferences are real, and whose time and heat are played.
 *
 * Time passes by looking at the clock and by waiting, so a job takes the same course on any
 * machine. In a paced job the device is hot from 10 s to 30 s.
 */
class PlayedPlace : Place, Instruments {
    private var now = 0L

    override val instruments: Instruments get() = this
    override val events = EventLog()
    override val application = Application("mobilebench", "0.1.0", Build.RELEASE, Build.RELEASE)
    override val residentBytes = 100L shl 20
    override val peakBytes = 120L shl 20

    override fun nowNs(): Long {
        now += 2 * MS
        return now
    }

    override fun waitNs(nanoseconds: Long) {
        now += nanoseconds
    }

    override fun sense() = DeviceState(tNs = 0, thermal = thermal())

    override fun device() = Device(
        id = "played", kind = DeviceKind.PHONE, model = "Played", os = "Android", osVersion = "14",
    )

    override fun state() = DeviceState(tNs = 0, thermal = thermal(), batteryFraction = 0.8)

    override fun scheduling() = Scheduling(tNs = 0, foreground = true, screenOn = true)

    override fun power(): Power? = null

    private fun thermal() =
        if (now in 10 * S..30 * S) ThermalState.SERIOUS else ThermalState.NOMINAL
}
