package mobilebench.core.running

import mobilebench.core.documents.Application
import mobilebench.core.documents.Device
import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Power
import mobilebench.core.documents.Scheduling
import mobilebench.core.engine.EventLog
import mobilebench.core.engine.Instruments

/** Where a job is done: the device, its clock and sensors, and what happens to it. */
interface Place {
    val instruments: Instruments

    /** What happens while a job runs: the place adds to it, on any thread. */
    val events: EventLog

    /** The app that measures; null for a program of a computer. */
    val application: Application?

    fun device(): Device

    /** Read the state before and after a measurement; may take a moment. */
    fun state(): DeviceState

    /** Return how the system treats the calling thread now. */
    fun scheduling(): Scheduling

    /** Return the readings of the battery since the last call; null where there are none. */
    fun power(): Power?

    /** Resident memory of this process now. */
    val residentBytes: Long

    /** Largest resident memory of this process so far. */
    val peakBytes: Long
}
