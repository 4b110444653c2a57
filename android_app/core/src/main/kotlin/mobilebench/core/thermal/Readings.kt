package mobilebench.core.thermal

import mobilebench.core.documents.DeviceState

/** Turns states into readings; remembers the highest clock, of which a cap is a share. */
class Readings {
    private var mostMhz = 0.0

    /** Return the reading of a state. Sensors are told by their names, as Android has them. */
    fun of(state: DeviceState): Reading {
        val temperatures = state.temperaturesC ?: emptyMap()
        return Reading(
            state = state.thermal,
            headroom = state.headroom,
            skinC = hottest(temperatures, "skin"),
            batteryC = hottest(temperatures, "battery"),
            cap = state.cpuCapMhz?.let(::shareOfMost),
            busy = state.busyFraction,
        )
    }

    private fun shareOfMost(mhz: Double): Double? {
        mostMhz = maxOf(mostMhz, mhz)
        return if (mostMhz > 0) mhz / mostMhz else null
    }
}

/** Return the highest temperature of the sensors whose name holds a word. */
private fun hottest(temperatures: Map<String, Double>, word: String): Double? =
    temperatures.filterKeys { it.contains(word, ignoreCase = true) }.values.maxOrNull()
