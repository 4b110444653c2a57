package mobilebench.core.jobs

import java.io.File
import java.io.IOException

/** Says why a run left no record: a word, and a sentence in the line below. */
const val NO_RECORD_FILE = "no-record.txt"

/** Why there is no record of a run. */
enum class Why(val word: String) {
    /** The job cannot be done here; nothing was measured. */
    REFUSED("refused"),

    /** The user stopped it; another run goes on. */
    STOPPED("stopped"),

    /** Its process ended before it; another run goes on. */
    CUT_OFF("cut off"),

    /** The journal or the record could not be written; another run goes on. */
    NOT_WRITTEN("not written"),
}

/** How a run ended that left no record. */
data class NoRecord(val why: Why, val sentence: String)

/**
 * Tell whoever looks into a job's folder why there is no record.
 *
 * Where nothing can be written, it is not told: the folder then lacks a journal as well.
 */
fun tell(folder: File, none: NoRecord) {
    try {
        val sentence = none.sentence.replace('\n', ' ').trim()
        File(folder, NO_RECORD_FILE).writeText("${none.why.word}\n$sentence\n")
    } catch (_: IOException) {
        return
    }
}

/** Return what the last run told of having left no record; null where it told nothing. */
fun noRecordOf(folder: File): NoRecord? = try {
    val file = File(folder, NO_RECORD_FILE)
    val lines = if (file.isFile) file.readText().lines() else emptyList()
    Why.values().firstOrNull { it.word == lines.firstOrNull() }
        ?.let { NoRecord(it, lines.getOrElse(1) { "" }) }
} catch (_: IOException) {
    null
}
