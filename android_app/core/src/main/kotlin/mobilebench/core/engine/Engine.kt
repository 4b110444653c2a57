package mobilebench.core.engine

import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Event
import mobilebench.core.documents.EventKind
import mobilebench.core.documents.Gate
import mobilebench.core.documents.GateLog
import mobilebench.core.documents.Phase
import mobilebench.core.documents.Protocol
import mobilebench.core.documents.Stop
import mobilebench.core.documents.WarmUp

/**
 * Run the rounds of a protocol, and give what was measured away in parts.
 *
 * [load] loads the model and returns its inference call. What the model throws ends the run, after
 * a last part. Throws [ClockFailed] where the clock stands still or goes backwards. Between two
 * inferences nothing is allocated, except for a reading, a part, and a shift of the width.
 */
fun runProtocol(
    protocol: Protocol,
    load: () -> Infer,
    instruments: Instruments,
    course: Course = Course(),
): Ending = Run(protocol, load, instruments, course).run()

/** One run of a protocol, with what came since the last part. */
private class Run(
    private val protocol: Protocol,
    private val load: () -> Infer,
    private val instruments: Instruments,
    private val course: Course,
) {
    private val several = course.several
    private val columns =
        Columns(roomFor(protocol, several?.widths?.size ?: 0, course.everyNs), several != null)
    private val baseline = LongArray(BASELINE_INFERENCES)
    private val coolNs = LongArray(several?.widths?.size ?: 0)
    private val loadNs = ArrayList<Long>()
    private val gates = ArrayList<GateLog>()
    private val states = ArrayList<DeviceState>()
    private val longestNs = course.limits.timeNs ?: Long.MAX_VALUE
    private val originNs = instruments.nowNs() - course.tNs
    private var lastNs = originNs
    private var keptNs = now()
    private var isKeeping = false
    private var index = 0
    private var width = several?.widths?.get(0) ?: FULL

    fun run(): Ending {
        // Any thread asks this clock, so it does not go through `now`.
        course.events.begin { instruments.nowNs() - originNs }
        return try {
            for (round in course.firstRound until protocol.rounds) wholeRound(round)
            Ending()
        } catch (reached: EndReached) {
            keep()
            reached.ending
        } catch (failure: Throwable) {
            if (!isKeeping) keepAfter(failure)
            throw failure
        }
    }

    private fun wholeRound(round: Int) {
        rest()
        val started = now()
        val infer = load()
        loadNs.add(now() - started)
        select(0)
        warmUp(protocol.warmUp, infer, round)
        measure(infer, round, chooser(infer, round))
        keep(round)
    }

    /** Return the time; the same as before or later. */
    private fun now(): Long {
        val now = instruments.nowNs()
        val back = lastNs - now
        lastNs = now
        if (back > 0) {
            throw ClockFailed(
                "The clock went back by $back ns while the protocol ${protocol.id} ran; restart " +
                    "the device and measure again.",
            )
        }
        return now
    }

    /** Do what is due between two inferences: give away a part, end where that is asked for. */
    private fun between(nowNs: Long) {
        if (nowNs - keptNs >= course.everyNs || columns.isNearlyFull) keep()
        if (nowNs - originNs >= longestNs) throw EndReached(Ending(limit = Stop.TIME))
        endIfAsked()
    }

    private fun endIfAsked() {
        val cause = course.stopping.cause
        if (cause != null) throw EndReached(Ending(asked = cause))
    }

    /** Give away what came since the last time. */
    private fun keep(roundEnded: Int? = null) {
        val part = Part(
            samples = columns.take(),
            loadNs = loadNs.toLongArray(),
            gates = ArrayList(gates),
            states = ArrayList(states),
            events = course.events.take(),
            roundEnded = roundEnded,
        )
        loadNs.clear()
        gates.clear()
        states.clear()
        isKeeping = true
        course.keep(part)
        isKeeping = false
        keptNs = now()
    }

    /** Give away the last part before a failure, which is told even where that fails too. */
    private fun keepAfter(failure: Throwable) {
        try {
            keep()
        } catch (another: Throwable) {
            failure.addSuppressed(another)
        }
    }

    /** Prepare a round: rest for the fixed time, read the device's state, pass the gate. */
    private fun rest() {
        if (protocol.coolDownNs > 0) pause(protocol.coolDownNs)
        val state = read()
        if (protocol.gate != null) gates.add(pass(protocol.gate, state))
    }

    private fun pass(gate: Gate, first: DeviceState): GateLog {
        val started = now()
        var state = first
        while (state.thermal != null && state.thermal > gate.warmest) {
            val waited = now() - started
            if (waited >= gate.maxWaitNs) return GateLog(waited, state.thermal, open = false)
            pause(gate.pollNs)
            state = read()
        }
        return GateLog(now() - started, state.thermal, open = state.thermal != null)
    }

    private fun read(): DeviceState {
        val state = instruments.sense().copy(tNs = now() - originNs)
        states.add(state)
        course.limits.passedBy(state)?.let { throw EndReached(Ending(limit = it)) }
        between(now())
        return state
    }

    /** Wait, at most a second at a time, so that a request to stop is seen soon. */
    private fun pause(nanoseconds: Long) {
        val due = now() + nanoseconds
        var left = nanoseconds
        while (left > 0) {
            instruments.waitNs(minOf(left, SLICE_NS))
            left = due - now()
            if (left > 0) endIfAsked()
        }
    }

    /** Run one inference, record it, and return its latency. */
    private fun sample(infer: Infer, phase: Phase, round: Int): Long {
        val started = now()
        infer.run()
        val latency = now() - started
        if (latency == 0L) throw ClockFailed(STANDING)
        columns.add(started - originNs, latency, phase, round, width)
        return latency
    }

    /** Put a width in force. */
    private fun select(at: Int) {
        if (several == null) return
        several.select.select(at)
        index = at
        width = several.widths[at]
    }

    /** Measure the cool latency of each width, the narrowest first; return what chooses. */
    private fun chooser(infer: Infer, round: Int): Chooser? {
        if (several == null) return null
        for (at in several.widths.size - 1 downTo 0) {
            select(at)
            for (turn in baseline.indices) baseline[turn] = sample(infer, Phase.WARM_UP, round)
            coolNs[at] = medianOfSettled(baseline)
            between(now())
        }
        return several.chooser(coolNs.copyOf())
    }

    private fun warmUp(rule: WarmUp, infer: Infer, round: Int) {
        val settling = rule.convergence?.let { Settling(it) }
        val started = now()
        var iterations = 0
        while (true) {
            val latency = sample(infer, Phase.WARM_UP, round)
            iterations += 1
            val elapsed = now() - started
            if (elapsed >= rule.maxDurationNs) return
            val hasConverged = settling == null || settling.add(latency)
            val isEnough = iterations >= rule.minIterations && elapsed >= rule.minDurationNs
            if (hasConverged && isEnough) return
            between(started + elapsed)
        }
    }

    private fun measure(infer: Infer, round: Int, chooser: Chooser?) {
        val senseNs = protocol.senseNs ?: Long.MAX_VALUE
        val intervalNs = protocol.intervalNs ?: 0
        val started = now()
        var senseAt = started
        var inferences = 0
        while (true) {
            val latency = sample(infer, Phase.MEASURED, round)
            inferences += 1
            val elapsed = now() - started
            if (elapsed >= protocol.maxDurationNs) return
            if (inferences >= protocol.inferences && elapsed >= protocol.minDurationNs) return
            var state: DeviceState? = null
            if (protocol.senseNs != null && now() - senseAt >= 0) {
                state = read()
                senseAt += senseNs
            } else {
                between(started + elapsed)
            }
            if (chooser != null) choose(chooser, latency, state)
            if (intervalNs > 0) waitForFrame(intervalNs, started)
        }
    }

    /** Let the chooser look at the inference that just ended, and shift where it says so. */
    private fun choose(chooser: Chooser, latencyNs: Long, state: DeviceState?) {
        val tNs = now() - originNs
        val chosen = chooser.choose(tNs, index, latencyNs, state)
        if (chosen == index) return
        val before = width
        select(chosen)
        val readings = LinkedHashMap(chooser.readings)
        course.events.put(
            Event(tNs, EventKind.WIDTH_SHIFT, before, width, readings, chooser.reason),
        )
    }

    /**
     * Wait until the next multiple of the interval since the round's first inference.
     *
     * No drift adds up, and frames that came while an inference ran are dropped.
     */
    private fun waitForFrame(intervalNs: Long, started: Long) {
        val now = now()
        val frame = (now - started + intervalNs - 1) / intervalNs
        pause(started + frame * intervalNs - now)
    }
}

/** Ends a run from within; it is no failure, and has no trace. */
private class EndReached(val ending: Ending) : RuntimeException(null, null, false, false)

/** Return the median without the first two latencies of a network, rounded down; sorts them. */
internal fun medianOfSettled(latencies: LongArray): Long {
    latencies.sort(SETTLING, latencies.size)
    val middle = (SETTLING + latencies.size) / 2
    return (latencies[middle - 1] + latencies[middle]) / 2
}

/** The first inferences of a network, which differ from the others. */
internal const val SETTLING = 2
private const val SLICE_NS = 1_000_000_000L
private const val FULL = 1.0
private const val STANDING =
    "The clock stood still during an inference; it is broken, or too coarse to time this model."
