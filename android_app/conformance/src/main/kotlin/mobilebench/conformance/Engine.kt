package mobilebench.conformance

import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Event
import mobilebench.core.documents.GateLog
import mobilebench.core.documents.Limits
import mobilebench.core.documents.Samples
import mobilebench.core.documents.limitsOf
import mobilebench.core.documents.protocolOf
import mobilebench.core.documents.stateOf
import mobilebench.core.documents.toJson
import mobilebench.core.engine.Chooser
import mobilebench.core.engine.Course
import mobilebench.core.engine.Infer
import mobilebench.core.engine.Instruments
import mobilebench.core.engine.Part
import mobilebench.core.engine.Several
import mobilebench.core.engine.runProtocol
import mobilebench.core.json.Json
import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonList
import mobilebench.core.json.JsonNull
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText

/** Answers tasks of the kind `engine`: a protocol on a scripted device. */
internal object Engine {
    fun answer(given: JsonObject): Json? {
        val device = ScriptedDevice(given)
        val parts = ArrayList<Part>()
        val course = Course(
            limits = given.given("limits")?.let(::limitsOf) ?: Limits(),
            keep = { parts += it },
            firstRound = given.wholeOr("first_round", 0).toInt(),
            tNs = given.wholeOr("t_ns", 0),
            several = several(given),
        )
        val protocol = protocolOf(given["protocol"] ?: return null)
        val ending = try {
            runProtocol(protocol, device::load, device, course)
        } catch (failed: InferenceFailed) {
            return fields("failing_inference" to JsonInt(failed.number))
        }
        val stopped = ending.limit?.let { JsonText(it.word) } ?: JsonNull
        return fields(
            "samples" to together(parts.map { it.samples }).toJson(),
            "loads_ns" to JsonList(parts.flatMap { part -> part.loadNs.map { JsonInt(it) } }),
            "gates" to JsonList(parts.flatMap { it.gates }.map(GateLog::toJson)),
            "states" to JsonList(parts.flatMap { it.states }.map(DeviceState::toJson)),
            "events" to JsonList(parts.flatMap { it.events }.map(Event::toJson)),
            "stopped" to stopped,
        )
    }

    private fun several(given: JsonObject): Several? {
        val widths = given.numbers("widths")
        if (widths.isEmpty()) return null
        val choices = Lasting(given.wholes("choices"))
        return Several(widths, {}) { coolNs -> ScriptedChooser(choices, coolNs) }
    }

    private fun together(samples: List<Samples>) = Samples(
        tNs = samples.flatMap { it.tNs.asList() }.toLongArray(),
        latencyNs = samples.flatMap { it.latencyNs.asList() }.toLongArray(),
        phase = samples.flatMap { it.phase.asList() }.toTypedArray(),
        round = samples.flatMap { it.round.asList() }.toIntArray(),
        width = samples.flatMap { it.width.asList() }.toDoubleArray(),
    )
}

/** The scripted inference that fails. */
private class InferenceFailed(val number: Long) : Exception()

/** Chooses by the script, and gives the cool latencies as its readings. */
private class ScriptedChooser(private val choices: Lasting, coolNs: LongArray) : Chooser {
    override val reason = "script"
    override val readings = coolNs.indices.associate { "cool_${it}_ns" to coolNs[it].toDouble() }

    override fun choose(tNs: Long, index: Int, latencyNs: Long, state: DeviceState?): Int =
        choices.next().toInt()
}

/** Values in turn; after the last, the last is repeated. */
private class Lasting(private val values: LongArray) {
    private var at = 0

    fun next(): Long = values[minOf(at++, values.size - 1)]
}

/**
 * The clock, the sensors and the model of a script.
 *
 * Time passes only in loads, inferences, waits and readings; reading the clock takes none.
 */
private class ScriptedDevice(script: JsonObject) : Instruments {
    private val loads = Lasting(script.wholes("loads_ns"))
    private val latencies = Lasting(
        script.objects("inferences").flatMap { span ->
            List(span.whole("count").toInt()) { span.whole("latency_ns") }
        }.toLongArray(),
    )
    private val states = script.list("states").map(::stateOf)
    private val readingNs = script.wholeOr("reading_ns", 0)
    private val lateNs = script.wholeOr("late_ns", 0)
    private val failing = script.wholeOr("failing_inference", -1)
    private val zeroNs = ORIGIN_NS - script.wholeOr("t_ns", 0)
    private var nowNs = ORIGIN_NS
    private var inferences = 0L

    fun load(): Infer {
        nowNs += loads.next()
        return Infer {
            if (inferences == failing) throw InferenceFailed(inferences)
            inferences += 1
            nowNs += latencies.next()
        }
    }

    override fun nowNs(): Long = nowNs

    override fun waitNs(nanoseconds: Long) {
        nowNs += nanoseconds + lateNs
    }

    override fun sense(): DeviceState {
        val beganNs = nowNs - zeroNs
        nowNs += readingNs
        return states.last { it.tNs <= beganNs }
    }

    private companion object {
        /** What the clock shows when the measurement begins. */
        const val ORIGIN_NS = 5_000_000L
    }
}
