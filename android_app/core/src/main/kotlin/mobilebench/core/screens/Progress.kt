package mobilebench.core.screens

import mobilebench.core.documents.Protocol
import mobilebench.core.engine.Part

/** What a run is doing. */
enum class RunStage {
    CHECKING_FILES, CHECKING_OUTPUTS, MEASURING, ENDED, FAILED,
}

/** How a run came to its end. */
data class RunEnd(
    /** Null where there is a measurement. */
    val failure: Text? = null,
    /** True where the user ended it. */
    val stopped: Boolean = false,
)

/** Hears of a run on the thread that runs it, between inferences; it has to return at once. */
interface RunObserver {
    fun stage(stage: RunStage)

    /** Hear what was measured since the part before. */
    fun part(part: Part)
}

/** A run of one job, as the app uses it. */
interface JobRun {
    /** Measure, and write journal and record; return when it is over. */
    fun run(observer: RunObserver): RunEnd

    /** End the run after the inference that is under way. May be called on any thread. */
    fun stop()
}

/** Whether the page of a run may change while it measures: drawing takes time from the model. */
val Protocol.drawsWhileMeasuring: Boolean get() = senseNs != null
