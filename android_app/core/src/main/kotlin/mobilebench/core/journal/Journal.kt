package mobilebench.core.journal

import java.time.Duration
import java.time.Instant
import java.time.ZoneOffset
import java.time.format.DateTimeFormatter
import mobilebench.core.json.DocumentRefused
import mobilebench.core.json.NotJson
import mobilebench.core.json.hexadecimal
import mobilebench.core.json.newSha256
import mobilebench.core.json.readJson

/** The whole lines of a journal. */
class Journal(
    val lines: List<Line>,
    /** Bytes of the whole lines: where the next one begins. */
    val bytes: Int,
    /** Of these bytes. */
    val sha256: String,
    /** What was left out and why, in a sentence; null where nothing was. */
    val remark: String?,
) {
    /** Whether the measurement came to its end, good or bad. */
    val ended: Boolean get() = lines.any { it.end != null }

    val end: End? get() = lines.firstNotNullOfOrNull { it.end }

    /** The start of each process that measured, in order; at least one. */
    val starts: List<Start> get() = lines.mapNotNull { it.start }

    /** The first round that did not end. */
    val nextRound: Int get() = (lines.mapNotNull { it.roundEnded }.maxOrNull() ?: -1) + 1

    /** The latest time that anything in it is of, on the measurement's clock. */
    val lastNs: Long get() = lines.maxOf { line -> line.times().maxOrNull() ?: 0 }

    /**
     * Return the measurement's clock at a time in UTC, for a process that goes on then.
     *
     * It is later than everything in the journal, whatever the clock on the wall did.
     */
    fun resumedAtNs(created: String): Long {
        val began = Instant.parse(starts.first().created)
        return maxOf(lastNs + 1, Duration.between(began, Instant.parse(created)).toNanos())
    }
}

private fun Line.times(): List<Long> = listOfNotNull(
    start?.tNs,
    samples?.let { it.tNs.last() + it.latencyNs.last() },
    states.lastOrNull()?.tNs,
    events.lastOrNull()?.tNs,
    scheduling.lastOrNull()?.tNs,
    power?.readings?.lastOrNull()?.tNs,
)

private val MILLISECONDS = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'")

/** Return a time as journals and records write it: `2026-01-02T03:04:05.678Z`. */
fun utc(time: Instant = Instant.now()): String = MILLISECONDS.format(time.atOffset(ZoneOffset.UTC))

/**
 * Read the journal of the job with a sha256, up to its last whole line; [what] names it.
 *
 * A line that was cut off, is damaged, or has not the next number ends it; the remark says so.
 * Throws [DocumentRefused] for another kind of file, another version, and another job.
 */
fun readJournal(content: ByteArray, jobSha256: String, what: String = "the journal"): Journal {
    val reader = JournalReader(content, what)
    reader.readAll()
    val journal = reader.journal()
    if (journal.lines.firstOrNull()?.start == null) {
        val why = journal.remark?.let { " ($it)" }.orEmpty()
        throw DocumentRefused(
            "$what holds no whole line that starts a measurement$why, so nothing was measured; " +
                "remove it to begin again."
        )
    }
    val other = journal.starts.firstOrNull { it.jobSha256 != jobSha256 } ?: return journal
    throw DocumentRefused(
        "$what is of another job: it names sha256 ${other.jobSha256.take(12)}, and this job has " +
            "${jobSha256.take(12)}; remove it to begin again."
    )
}

private const val LINE_FEED = '\n'.code.toByte()

private class JournalReader(private val content: ByteArray, private val what: String) {
    private val lines = ArrayList<Line>()
    private var bytes = 0
    private var clause: String? = null

    fun readAll() {
        while (bytes < content.size && clause == null) readNext()
    }

    fun journal(): Journal {
        val digest = newSha256().apply { update(content, 0, bytes) }.digest()
        return Journal(lines, bytes, hexadecimal(digest), clause?.let { "$what: $it." })
    }

    private fun readNext() {
        val end = feed(bytes)
        if (end < 0) {
            clause = "its last line is cut off after ${content.size - bytes} bytes"
            return
        }
        val mistake = take(content.copyOfRange(bytes, end))
        if (mistake == null) {
            bytes = end + 1
        } else {
            val left = (end + 1 until content.size).count { content[it] == LINE_FEED }
            clause = "$mistake; $left more line${if (left == 1) "" else "s"} left out"
        }
    }

    /** Read a line; return what is wrong with it, in a clause. */
    private fun take(text: ByteArray): String? {
        val number = lines.size + 1
        val name = "line $number of $what"
        val json = try {
            readJson(text, name)
        } catch (_: NotJson) {
            return "line $number is damaged"
        }
        val read = readLine(json, name)
        if (read.n != lines.size.toLong()) return "line $number has the number ${read.n}"
        lines += read.line
        return null
    }

    private fun feed(from: Int): Int {
        var index = from
        while (index < content.size && content[index] != LINE_FEED) index++
        return if (index < content.size) index else -1
    }
}
