package mobilebench.core.running

import mobilebench.core.engine.Part

/** What a run is doing. */
enum class RunStage { CHECKING_FILES, CHECKING_OUTPUTS, MEASURING, ENDED, FAILED }

/** Hears of a run on the thread that runs it, between inferences; it has to return at once. */
interface RunObserver {
    fun stage(stage: RunStage)

    /** Hear what was measured since the part before. */
    fun part(part: Part)
}

/** Hears nothing. */
object Unobserved : RunObserver {
    override fun stage(stage: RunStage) = Unit

    override fun part(part: Part) = Unit
}
