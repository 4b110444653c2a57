package mobilebench.core.engine

import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Protocol
import mobilebench.core.documents.ThermalState
import mobilebench.core.documents.WarmUp

internal const val MS = 1_000_000L
internal const val S = 1_000_000_000L

/** A device whose time passes only in inferences, waits and readings. */
internal open class PlayedDevice(private val latencyNs: Long = MS) : Instruments {
    var now = 7 * S
    var inferences = 0
    var readings = 0
    var longestWaitNs = 0L
    var thermal: ThermalState? = ThermalState.NOMINAL

    override fun nowNs(): Long = now

    override fun waitNs(nanoseconds: Long) {
        longestWaitNs = maxOf(longestWaitNs, nanoseconds)
        now += nanoseconds
    }

    override fun sense(): DeviceState {
        readings += 1
        return DeviceState(tNs = 0, thermal = thermal)
    }

    fun load(): Infer = Infer {
        inferences += 1
        now += latencyAt(inferences)
        afterInference()
    }

    open fun latencyAt(inference: Int): Long = latencyNs

    open fun afterInference() = Unit
}

internal fun protocol(
    inferences: Int,
    rounds: Int = 1,
    warmUp: Int = 2,
    intervalNs: Long? = null,
    senseNs: Long? = null,
    coolDownNs: Long = 0,
) = Protocol(
    id = "played",
    purpose = "tests",
    rounds = rounds,
    warmUp = WarmUp(minIterations = warmUp, minDurationNs = 0, maxDurationNs = 60 * S),
    inferences = inferences,
    minDurationNs = 0,
    maxDurationNs = 100_000 * S,
    intervalNs = intervalNs,
    coolDownNs = coolDownNs,
    senseNs = senseNs,
)

/** The parts of a run, and what they hold together. */
internal class Parts : (Part) -> Unit {
    val all = ArrayList<Part>()

    override fun invoke(part: Part) {
        all += part
    }

    val tNs: List<Long> get() = all.flatMap { it.samples.tNs.asList() }
    val events get() = all.flatMap { it.events }
    val roundsEnded get() = all.mapNotNull { it.roundEnded }
}
