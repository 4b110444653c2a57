package mobilebench.conformance

import mobilebench.core.documents.Abilities
import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.JobDocument
import mobilebench.core.documents.PolicyRule
import mobilebench.core.documents.files
import mobilebench.core.documents.readJob
import mobilebench.core.documents.wordOrNull
import mobilebench.core.json.DocumentRefused
import mobilebench.core.json.Json
import mobilebench.core.json.JsonBool
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText

/** Answers tasks of the kind `job`: what is understood of a job, or why it is refused. */
internal object Job {
    fun answer(given: JsonObject): Json? {
        val document = readJob(given.text("text").toByteArray())
        abilities(given["able"] as JsonObject).lacks(document.job)?.let { refuse(it) }
        requireFiles(document, given["files"] as JsonObject)
        return JsonObject(
            mapOf(
                "job_sha256" to JsonText(document.sha256),
                "files" to JsonObject(document.job.files.mapValues { JsonText(it.value) }),
                "job" to document.tree,
            )
        )
    }

    private fun requireFiles(document: JobDocument, present: JsonObject) {
        for ((name, sha256) in document.job.files) {
            val actual = (present[name] as JsonText?)?.value ?: refuse("there is no $name")
            if (actual != sha256) refuse("$name has sha256 $actual, and the job names $sha256")
        }
    }

    private fun abilities(able: JsonObject) = Abilities(
        runtimes = words(able, "runtimes"),
        computeUnits = words(able, "compute_units").mapNotNull { wordOrNull<ComputeUnit>(it) },
        policies = words(able, "policies").mapNotNull { wordOrNull<PolicyRule>(it) },
        uploads = able["uploads"] == JsonBool(true),
    )

    private fun words(able: JsonObject, name: String): List<String> =
        able.list(name).map { (it as JsonText).value }
}

private fun refuse(clause: String): Nothing = throw DocumentRefused(clause)
