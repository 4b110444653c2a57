package mobilebench.core.screens

import java.util.Random
import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Event
import mobilebench.core.documents.EventKind
import mobilebench.core.documents.Gate
import mobilebench.core.documents.Phase
import mobilebench.core.documents.Protocol
import mobilebench.core.documents.Samples
import mobilebench.core.documents.ThermalState
import mobilebench.core.documents.WarmUp

const val MS = 1_000_000L
const val S = 1_000_000_000L

val PACED = Protocol(
    id = "paced", purpose = "tests", rounds = 1, warmUp = WarmUp(1, 0, S), inferences = 1,
    minDurationNs = 1800 * S, maxDurationNs = 1800 * S, intervalNs = S / 30, gate = Gate(),
    senseNs = S,
)
val BURST = Protocol(
    id = "burst", purpose = "tests", rounds = 5, warmUp = WarmUp(1, 0, S), inferences = 50,
    minDurationNs = 0, maxDurationNs = 60 * S, gate = Gate(),
)

/** Samples of one round, [everyNs] apart. */
fun samples(
    count: Int,
    fromNs: Long = 0,
    everyNs: Long = S / 30,
    round: Int = 0,
    warmUp: Int = 0,
    widths: Boolean = false,
    latencyNs: (Int) -> Long = { 5 * MS },
) = Samples(
    tNs = LongArray(count) { fromNs + it * everyNs },
    latencyNs = LongArray(count, latencyNs),
    phase = Array(count) { if (it < warmUp) Phase.WARM_UP else Phase.MEASURED },
    round = IntArray(count) { round },
    width = if (widths) DoubleArray(count) { listOf(1.0, 0.75, 0.5)[it * 3 / count] }
    else DoubleArray(0),
)

fun emptyRun() = RunSoFar(PACED)

fun oneSample() = RunSoFar(PACED).apply { add(samples(1)) }

/** Half an hour at 30 frames a second that becomes warm, with narrower widths as it does. */
fun longRun() = RunSoFar(PACED).apply {
    val random = Random(1)
    add(
        samples(54_000, warmUp = 900, widths = true) { index ->
            val base = 9.0 + 14.0 * index / 54_000 * (if (index > 36_000) 0.55 else 1.0)
            val spike = if (index % 9_001 == 9_000) 22.0 else 0.0
            ((base + random.nextGaussian() * 0.4 + spike) * MS).toLong()
        },
    )
    for (second in 0 until 1800) {
        val state = when {
            second < 500 -> ThermalState.NOMINAL
            second < 1100 -> ThermalState.FAIR
            else -> ThermalState.SERIOUS
        }
        val celsius = if (second in 700..760) null else mapOf("battery" to 31 + second / 160.0)
        add(DeviceState(second * S, state, celsius))
    }
    add(Event(400 * S, EventKind.BACKGROUND))
    add(Event(430 * S, EventKind.FOREGROUND))
}

/** Five rounds of a burst with rests between them, and no sensors. */
fun burstRun() = RunSoFar(BURST).apply {
    val random = Random(2)
    for (round in 0 until 5) {
        add(
            samples(80, round * 3 * S, 6 * MS, round, warmUp = 30) { index ->
                ((5.2 + (if (index < 10) 2.0 - index / 5.0 else 0.0) +
                    random.nextGaussian() * 0.05) * MS).toLong()
            },
        )
    }
}
