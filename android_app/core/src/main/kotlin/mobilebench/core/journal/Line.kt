package mobilebench.core.journal

import mobilebench.core.documents.Application
import mobilebench.core.documents.Device
import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Event
import mobilebench.core.documents.Failure
import mobilebench.core.documents.GateLog
import mobilebench.core.documents.Load
import mobilebench.core.documents.PlacedOperation
import mobilebench.core.documents.Power
import mobilebench.core.documents.RuntimeInfo
import mobilebench.core.documents.Samples
import mobilebench.core.documents.Scheduling
import mobilebench.core.documents.Stop
import mobilebench.core.documents.UnitParity
import mobilebench.core.documents.UnitTiming
import mobilebench.core.engine.Part

/** A process begins to measure: the first one, or one that goes on for another. */
class Start(
    val jobSha256: String,
    /** UTC, RFC 3339; see [utc]. */
    val created: String,
    /** On the measurement's clock: 0, or later than everything in the journal before. */
    val tNs: Long = 0,
    /** The round that it begins with; what the journal has of it so far does not count. */
    val round: Int = 0,
    val device: Device,
    val runtime: RuntimeInfo,
    val application: Application? = null,
    val before: DeviceState,
    /** Resident memory with the runtime loaded and no model. */
    val beforeLoadBytes: Long,
)

/** The measurement ended: by its protocol, a limit or a failure. */
class End(val after: DeviceState, val stopped: Stop? = null, val failure: Failure? = null)

/** One line: what came since the line before. Its number is its place in the file. */
class Line(
    val start: Start? = null,
    val parity: List<UnitParity> = emptyList(),
    val placement: List<PlacedOperation>? = null,
    val unitTimings: List<UnitTiming> = emptyList(),
    val loads: List<Load> = emptyList(),
    val gates: List<GateLog> = emptyList(),
    /** Null where there is none; never empty. */
    val samples: Samples? = null,
    val states: List<DeviceState> = emptyList(),
    val events: List<Event> = emptyList(),
    val power: Power? = null,
    val scheduling: List<Scheduling> = emptyList(),
    /** Largest resident memory of the process so far; needed beside samples. */
    val peakBytes: Long? = null,
    val roundEnded: Int? = null,
    val end: End? = null,
) {
    init {
        require(samples == null || samples.size > 0) { "a line has no empty columns of samples" }
        require(samples == null || peakBytes != null) { "a line with samples has peakBytes" }
    }
}

/** Return the line of a part that the engine gave away, with what was seen beside it. */
fun lineOf(
    part: Part,
    loads: List<Load>,
    peakBytes: Long,
    power: Power? = null,
    scheduling: List<Scheduling> = emptyList(),
    events: List<Event> = emptyList(),
): Line = Line(
    loads = loads,
    gates = part.gates,
    samples = part.samples.takeIf { it.size > 0 },
    states = part.states,
    events = (part.events + events).sortedBy { it.tNs },
    power = power,
    scheduling = scheduling,
    peakBytes = peakBytes,
    roundEnded = part.roundEnded,
)
