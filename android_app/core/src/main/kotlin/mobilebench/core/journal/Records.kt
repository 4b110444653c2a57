package mobilebench.core.journal

import java.util.UUID
import mobilebench.core.diagnoses.diagnose
import mobilebench.core.documents.Failure
import mobilebench.core.documents.JobFolder
import mobilebench.core.documents.Measurement
import mobilebench.core.documents.Outcome
import mobilebench.core.documents.RECORD_VERSION
import mobilebench.core.documents.fieldsOf
import mobilebench.core.documents.toJson
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText

/** Which program made a record, and by which way the job came. */
data class Provenance(val harnessVersion: String, val transport: String)

/** Return a new id for a record: 32 hexadecimal digits, drawn at random. */
fun newRecordId(): String = UUID.randomUUID().toString().replace("-", "")

/**
 * Make the record of a job from its journal, unsigned.
 *
 * A journal without an end gives a measurement that is cut off. [crash] is what is known outside
 * the process that measured, where it failed. Throws `DocumentRefused` where lines contradict each
 * other.
 */
fun recordOf(
    given: JobFolder,
    journal: Journal,
    provenance: Provenance,
    crash: Failure? = null,
    id: String = newRecordId(),
): JsonObject {
    val start = journal.starts.last()
    val outcome = journal.outcome(given.job.protocol)
    return fieldsOf {
        add("schema_version", RECORD_VERSION)
        add("record_id", id)
        add("created", start.created)
        for (name in listOf("model", "recipe", "artifact")) addAlways(name, given.subject[name])
        add("device", start.device.toJson())
        add("job", given.document.tree)
        add("outcome", outcome(outcome, crash, given, start))
        add("provenance", provenance.toJson())
    }
}

private fun outcome(
    outcome: Outcome,
    crash: Failure?,
    given: JobFolder,
    start: Start,
): JsonObject = when (outcome) {
    is Failure -> (crash ?: outcome).toJson()
    is Measurement -> {
        val judgement = diagnose(outcome, given.job.protocol, start.device)
        val added = fieldsOf {
            add("validity", judgement.validity)
            add("reasons", judgement.reasons) { JsonText(it.word) }
        }
        JsonObject(outcome.toJson().fields + added.fields)
    }
}

private fun Provenance.toJson(): JsonObject = fieldsOf {
    add("harness_version", harnessVersion)
    addAlways("git_commit", null)
    addAlways("dirty", null)
    add("transport", transport)
}
