package mobilebench.conformance

import mobilebench.core.documents.ThermalState
import mobilebench.core.documents.policyOf
import mobilebench.core.documents.wordOrNull
import mobilebench.core.json.Json
import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonList
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText
import mobilebench.core.thermal.NO_FRAME
import mobilebench.core.thermal.Reading
import mobilebench.core.thermal.Reason
import mobilebench.core.thermal.WidthCost
import mobilebench.core.thermal.controller

/** Answers tasks of the kind `thermal`. */
internal object Thermal {
    fun answer(given: JsonObject): Json? {
        val widths = given.objects("widths").map {
            WidthCost(it.number("width"), it.whole("cool_ns"), it.number("top1"))
        }
        val intervalNs = (given.given("interval_ns") as JsonInt?)?.value
        val machine = controller(policyOf(given["policy"] ?: return null), widths, intervalNs)
        val readings = given.objects("readings").associate { it.whole("n").toInt() to reading(it) }
        val latencies = given.list("latency_ns")
        val indices = given.column("index")
        val times = given.wholes("t_ns")
        val decisions = ArrayList<Json>()
        val chosen = IntArray(times.size) { n ->
            val latencyNs = (latencies[n] as? JsonInt)?.value ?: NO_FRAME
            val index = machine.decide(times[n], indices[n].toInt(), latencyNs, readings[n])
            if (machine.reason != Reason.HOLD) {
                decisions += fields(
                    "n" to whole(n),
                    "reason" to JsonText(machine.reason.word),
                    "inputs" to numbers(machine.inputs),
                )
            }
            index
        }
        return fields("index" to spans(chosen), "decisions" to JsonList(decisions))
    }

    private fun reading(given: JsonObject): Reading {
        val lacks = given.list("nan").map { (it as JsonText).value }
        fun number(name: String) = if (name in lacks) Double.NaN else given.numberOrNull(name)
        return Reading(
            state = given.given("state")?.let { wordOrNull<ThermalState>((it as JsonText).value) },
            headroom = number("headroom"),
            skinC = number("skin_c"),
            batteryC = number("battery_c"),
            cap = number("cap"),
            energyMj = number("energy_mj"),
        )
    }
}
