package mobilebench.core.thermal

import mobilebench.core.documents.Policy
import mobilebench.core.documents.Refused

/** One number that a policy is tuned by; its unit is in its name. */
class Parameter(val name: String, val default: Double, val least: Double, val most: Double)

/**
 * Return every parameter of a rule, from the policy or by default.
 *
 * Throws [Refused] for a name that the rule does not know, and for a number out of its range.
 */
internal fun readParameters(policy: Policy, known: List<Parameter>): Map<String, Double> {
    val names = known.map { it.name }
    for (name in policy.parameters.keys) {
        if (name !in names) {
            val list = if (names.isEmpty()) "none" else names.joinToString(", ")
            throw Refused("The policy ${policy.rule.word} has no parameter '$name'; it has $list.")
        }
    }
    return known.associate { parameter ->
        val number = policy.parameters[parameter.name] ?: parameter.default
        if (number.isNaN() || number < parameter.least || number > parameter.most) {
            throw Refused(
                "The parameter ${parameter.name} of the policy ${policy.rule.word} is $number; " +
                    "it has to be from ${parameter.least} to ${parameter.most}.",
            )
        }
        parameter.name to number
    }
}

internal fun defaultsOf(known: List<Parameter>): Map<String, Double> =
    known.associate { it.name to it.default }
