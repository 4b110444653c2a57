package mobilebench.conformance

import mobilebench.core.documents.Failure
import mobilebench.core.documents.Measurement
import mobilebench.core.documents.readJob
import mobilebench.core.documents.toJson
import mobilebench.core.journal.outcome
import mobilebench.core.journal.readJournal
import mobilebench.core.json.Json
import mobilebench.core.json.JsonBool
import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText

/** Answers tasks of the kind `journal`: what was measured, or why a journal is refused. */
internal object Journal {
    fun answer(given: JsonObject): Json? {
        val document = readJob(given.text("job").toByteArray())
        val journal = readJournal(given.text("text").toByteArray(), document.sha256)
        val came = when (val outcome = journal.outcome(document.job.protocol)) {
            is Measurement -> "measurement" to outcome.toJson()
            is Failure -> "failure" to fields(
                "stage" to JsonText(outcome.stage.word), "error" to JsonText(outcome.error)
            )
        }
        return fields(
            "lines" to whole(journal.lines.size),
            "bytes" to whole(journal.bytes),
            "left_out" to JsonBool(journal.remark != null),
            "ended" to JsonBool(journal.ended),
            "next_round" to whole(journal.nextRound),
            "last_ns" to JsonInt(journal.lastNs),
            came,
        )
    }
}
