package mobilebench.core.engine

import mobilebench.core.documents.DeviceState

/** Leaves the width as it is. */
internal object StayingChooser : Chooser {
    override val reason = "hold"
    override val readings: Map<String, Double> = emptyMap()

    override fun choose(tNs: Long, index: Int, latencyNs: Long, state: DeviceState?): Int = index
}
