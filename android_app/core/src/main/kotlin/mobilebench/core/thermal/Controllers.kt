package mobilebench.core.thermal

import mobilebench.core.documents.Policy
import mobilebench.core.documents.PolicyRule
import mobilebench.core.documents.Refused
import mobilebench.core.thermal.policies.Deadline
import mobilebench.core.thermal.policies.Fixed
import mobilebench.core.thermal.policies.Headroom
import mobilebench.core.thermal.policies.Predictive
import mobilebench.core.thermal.policies.Threshold

/**
 * Return the controller of a policy, at the widest width, that has seen nothing yet.
 *
 * Throws [Refused] for parameters that the rule does not have, and where neither the aim nor the
 * protocol gives a deadline.
 */
fun controller(policy: Policy, widths: List<WidthCost>, intervalNs: Long?): Controller {
    val parameters = readParameters(policy, parametersOf(policy.rule))
    if (policy.rule == PolicyRule.FIXED) return Fixed()
    val deadlineNs = policy.aim.deadlineNs ?: intervalNs ?: throw Refused(
        "The policy ${policy.rule.word} needs a deadline, and frames follow each other directly; " +
            "choose a protocol with a frame rate, or state a deadline in the aim.",
    )
    val aim = policy.aim
    return when (policy.rule) {
        PolicyRule.FIXED -> Fixed()
        PolicyRule.DEADLINE -> Deadline(widths, deadlineNs, parameters)
        PolicyRule.THRESHOLD -> Threshold(widths, aim, deadlineNs, parameters)
        PolicyRule.HEADROOM -> Headroom(widths, aim, deadlineNs, parameters)
        PolicyRule.PREDICTIVE -> Predictive(widths, aim, deadlineNs, parameters)
    }
}

/** Return the parameters that a rule has. */
fun parametersOf(rule: PolicyRule): List<Parameter> = when (rule) {
    PolicyRule.FIXED -> emptyList()
    PolicyRule.DEADLINE -> Deadline.PARAMETERS
    PolicyRule.THRESHOLD -> Threshold.PARAMETERS
    PolicyRule.HEADROOM -> Headroom.PARAMETERS
    PolicyRule.PREDICTIVE -> Predictive.PARAMETERS
}
