package mobilebench.core.engine

import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Job
import mobilebench.core.documents.PolicyRule
import mobilebench.core.documents.Refused
import mobilebench.core.thermal.Controller
import mobilebench.core.thermal.Readings
import mobilebench.core.thermal.WidthCost
import mobilebench.core.thermal.controller

/**
 * Throw [Refused] where the policy of a job cannot be followed.
 *
 * That is so for parameters that the policy does not have, and for a variant whose accuracy is not
 * known.
 */
fun requirePossible(job: Job) {
    val coolNs = LongArray(job.variants.size) { job.variants.size - it.toLong() }
    if (job.policy.rule != PolicyRule.FIXED) chooserFor(job, coolNs)
}

/**
 * Return what a run needs to choose between variants; null where nothing is chosen.
 *
 * Throws as [requirePossible] does.
 */
fun several(job: Job, select: Select): Several? {
    requirePossible(job)
    if (job.policy.rule == PolicyRule.FIXED) return null
    val widths = DoubleArray(job.variants.size) { job.variants[it].width }
    return Several(widths, select) { coolNs -> chooserFor(job, coolNs) }
}

private fun chooserFor(job: Job, coolNs: LongArray): Chooser {
    val costs = job.variants.mapIndexed { at, variant ->
        val accuracy = variant.accuracy ?: throw Refused(
            "The policy ${job.policy.rule.word} weighs accuracies, and that of ${variant.name} " +
                "is not known; write the job again with --widths, which holds them.",
        )
        WidthCost(variant.width, coolNs[at], accuracy.top1)
    }
    return PolicyChooser(controller(job.policy, costs, job.protocol.intervalNs))
}

/** Lets a controller choose; it sees each state as a reading. */
class PolicyChooser(private val controller: Controller) : Chooser {
    private val readingsOfStates = Readings()

    override fun choose(tNs: Long, index: Int, latencyNs: Long, state: DeviceState?): Int {
        val reading = if (state == null) null else readingsOfStates.of(state)
        return controller.decide(tNs, index, latencyNs, reading)
    }

    override val reason: String get() = controller.reason.word

    override val readings: Map<String, Double> get() = controller.inputs
}
