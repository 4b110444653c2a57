package mobilebench.core.running

import java.io.File
import java.io.IOException
import java.nio.file.Files
import java.nio.file.StandardCopyOption.ATOMIC_MOVE
import java.nio.file.StandardCopyOption.REPLACE_EXISTING
import mobilebench.core.documents.Failure
import mobilebench.core.documents.JobFolder
import mobilebench.core.documents.Signer
import mobilebench.core.documents.signed
import mobilebench.core.journal.JournalFailed
import mobilebench.core.journal.Provenance
import mobilebench.core.journal.journalContent
import mobilebench.core.journal.readJournal
import mobilebench.core.journal.recordOf
import mobilebench.core.json.text

/**
 * Write the record of a job from the journal beside it; return its file, which appears whole.
 *
 * [crash] is what is known of a process that ended before its journal did. Throws
 * `DocumentRefused` for a journal that is not one, [JournalFailed] where a file cannot be read or
 * written.
 */
fun writeRecord(
    given: JobFolder,
    provenance: Provenance,
    signer: Signer?,
    crash: Failure? = null,
): File {
    val file = given.recordFile
    val neighbour = File("${file.path}.new")
    try {
        val content = journalContent(given.journalFile)
        val journal = readJournal(content, given.document.sha256, given.journalFile.name)
        val record = signed(recordOf(given, journal, provenance, crash), signer)
        // It may be a link to something else.
        neighbour.delete()
        neighbour.writeText(record.text() + "\n")
        Files.move(neighbour.toPath(), file.toPath(), ATOMIC_MOVE, REPLACE_EXISTING)
    } catch (error: IOException) {
        neighbour.delete()
        throw JournalFailed("The record ${file.path} cannot be written: ${error.message}.", error)
    }
    return file
}
