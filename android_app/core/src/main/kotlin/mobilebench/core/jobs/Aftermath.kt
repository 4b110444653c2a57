package mobilebench.core.jobs

import java.io.File
import java.io.IOException
import mobilebench.core.documents.Failure
import mobilebench.core.documents.JobFolder
import mobilebench.core.documents.Signer
import mobilebench.core.documents.readJobFolder
import mobilebench.core.journal.Journal
import mobilebench.core.journal.Provenance
import mobilebench.core.journal.journalContent
import mobilebench.core.journal.readJournal
import mobilebench.core.json.DocumentRefused
import mobilebench.core.running.writeRecord
import mobilebench.core.sensors.Exit
import mobilebench.core.sensors.Reached
import mobilebench.core.sensors.failureOf

/**
 * Write down that a run of a job begins; [endRun] or [aftermath] takes it back.
 *
 * What is known of the run before no longer counts. Throws [IOException].
 */
fun beginRun(folder: File) {
    File(folder, RUNNING_FILE).writeText("")
    File(folder, NO_RECORD_FILE).delete()
}

/** When the run of a job began whose end nobody saw, in milliseconds; null where there is none. */
fun unfinishedSince(folder: File): Long? =
    File(folder, RUNNING_FILE).takeIf { it.isFile }?.lastModified()

/** Take back what [beginRun] wrote: the run came to its end, with a record or without. */
fun endRun(folder: File, none: NoRecord? = null) {
    none?.let { tell(folder, it) }
    File(folder, RUNNING_FILE).delete()
}

/** What a run left whose process ended before it. */
enum class Left {
    /** A record, with the failure or with what was measured until then. */
    RECORD,

    /** A journal that another run can go on with. */
    JOURNAL,

    /** Nothing: the process ended before it could write anything. */
    NOTHING,
}

/** How a run ended whose process is gone, and what it left. */
data class Aftermath(val failure: Failure, val left: Left)

/**
 * Settle a run whose process is gone; null where the run had come to its end.
 *
 * A crash becomes the record of the job: it would come again. After any other end the journal
 * stays as it is, another run can go on, and [NO_RECORD_FILE] says why there is no record.
 * [description] is what the system noted of the end.
 * Throws [DocumentRefused] for a folder that cannot be read, `JournalFailed` where the record
 * cannot be written.
 */
fun aftermath(
    folder: File,
    exit: Exit,
    description: String?,
    provenance: Provenance,
    signer: Signer? = null,
): Aftermath? {
    if (unfinishedSince(folder) == null) return null
    var left: Aftermath? = null
    try {
        left = settled(readJobFolder(folder), exit, description, provenance, signer)
        return left
    } finally {
        val none = left?.takeIf { it.left != Left.RECORD }?.failure
        endRun(folder, none?.let { NoRecord(Why.CUT_OFF, it.message) })
    }
}

private fun settled(
    given: JobFolder,
    exit: Exit,
    description: String?,
    provenance: Provenance,
    signer: Signer?,
): Aftermath? {
    val asked = given.job.parity != null
    val journal = try {
        journalOf(given)
    } catch (_: DocumentRefused) {
        return Aftermath(failureOf(exit, Reached.NOTHING, asked, description), Left.NOTHING)
    }
    if (journal.ended) {
        if (!given.recordFile.isFile) writeRecord(given, provenance, signer)
        return null
    }
    val failure = failureOf(exit, reached(journal), asked, description)
    if (exit != Exit.CRASHED) return Aftermath(failure, Left.JOURNAL)
    writeRecord(given, provenance, signer, failure)
    return Aftermath(failure, Left.RECORD)
}

private fun journalOf(given: JobFolder): Journal {
    val content = try {
        journalContent(given.journalFile)
    } catch (error: IOException) {
        throw DocumentRefused("The journal ${given.journalFile.name} cannot be read.", error)
    }
    return readJournal(content, given.document.sha256)
}

private fun reached(journal: Journal): Reached = when {
    journal.lines.any { it.samples != null } -> Reached.MEASURED
    journal.lines.any { it.parity.isEmpty() && it.loads.isNotEmpty() } -> Reached.LOADED
    journal.lines.any { it.parity.isNotEmpty() } -> Reached.OUTPUTS_CHECKED
    else -> Reached.STARTED
}
