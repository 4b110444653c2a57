package mobilebench.core.documents

/** Every file that the job names, with its sha256. */
val Job.files: Map<String, String>
    get() {
        val named = linkedMapOf(modelFile to modelSha256)
        variants.associateTo(named) { it.modelFile to it.modelSha256 }
        if (parity != null) {
            named[parity.inputsFile] = parity.inputsSha256
            named[parity.expectedFile] = parity.expectedSha256
        }
        return named
    }

/** What a device has of what a job can ask for. */
data class Abilities(
    val runtimes: List<String>,
    val computeUnits: List<ComputeUnit>,
    val policies: List<PolicyRule> = listOf(PolicyRule.FIXED),
    /** Whether it sends its record to the address in the job. */
    val uploads: Boolean = false,
) {
    /** Return what a job asks for in vain, in a clause; null where it can be done. */
    fun lacks(job: Job): String? =
        lacks("runtime", job.runtime, runtimes)
            ?: lacks("compute unit", job.computeUnit.word, computeUnits.map { it.word })
            ?: lacks("policy", job.policy.rule.word, policies.map { it.word })
            ?: "it asks for an upload, and the device keeps its record"
                .takeIf { job.uploadUrl != null && !uploads }

    private fun lacks(noun: String, wanted: String, present: List<String>): String? {
        if (wanted in present) return null
        return "it asks for the $noun $wanted, and the device has only ${present.joinToString()}"
    }
}
