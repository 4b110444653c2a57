package mobilebench.core.server

import java.io.File
import java.io.IOException
import mobilebench.core.documents.fieldsOf
import mobilebench.core.json.DocumentRefused
import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonList
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText
import mobilebench.core.json.readJson
import mobilebench.core.json.text

/** Where a job of the server stands on this device. */
enum class QueueState(val word: String) {
    /** Its files are on their way. */
    FETCHING("fetching"),

    /** It is here whole, and waits to be measured or is being measured. */
    WAITING("waiting"),

    /** Its record, or why there is none, waits to be sent. */
    SENDING("sending"),

    /** The server has its record, or knows why there is none. */
    SENT("sent"),

    /** The server does not take its record, which stays here. */
    KEPT("kept"),
}

/** A job of the server on this device. */
data class QueueEntry(
    val lease: String,
    val job: String,
    /** The name of its folder among the jobs. */
    val folder: String,
    val files: List<ServerFile>,
    val heartbeatS: Long,
    val state: QueueState = QueueState.FETCHING,
    /** How often a run of it was begun for the server. */
    val starts: Long = 0,
    /** Why there is no record, or why the server does not take it. */
    val sentence: String? = null,
)

private const val MOST_ENDED = 20

/**
 * The jobs of the server on this device, in a file that outlives the process.
 *
 * At most one of them is under way. Of those that ended, the last ones stay, to be shown.
 * Any thread may use it.
 */
class Queue(private val file: File) {
    private var rows: List<QueueEntry> = read()

    /** All of them, the oldest first. */
    val entries: List<QueueEntry> @Synchronized get() = rows

    /** The one that is under way; null where there is none. */
    val current: QueueEntry?
        get() = entries.firstOrNull { it.state != QueueState.SENT && it.state != QueueState.KEPT }

    /** Put an entry in place of the one with its lease, or behind all. Throws [NotWritten]. */
    @Synchronized
    fun put(entry: QueueEntry) {
        val isNew = rows.none { it.lease == entry.lease }
        write(if (isNew) rows + entry else rows.map { if (it.lease == entry.lease) entry else it })
    }

    /** Take an entry out. */
    @Synchronized
    fun remove(lease: String) = write(rows.filter { it.lease != lease })

    /** Let go of what is under way: it is of a server that this device has left. */
    @Synchronized
    fun forget() = write(
        rows.filter { it.state == QueueState.SENT || it.state == QueueState.KEPT },
    )

    /** Send again what the server did not take. */
    @Synchronized
    fun sendKeptAgain() = write(
        rows.map { if (it.state == QueueState.KEPT) it.copy(state = QueueState.SENDING) else it },
    )

    private fun write(all: List<QueueEntry>) {
        val isEnded = { it: QueueEntry -> it.state == QueueState.SENT }
        val old = all.filter(isEnded).dropLast(MOST_ENDED).toSet()
        val kept = all.filter { it !in old }
        val text = fieldsOf { addAlways("jobs", JsonList(kept.map(::json))) }.text()
        try {
            writeWhole(file, text)
        } catch (error: IOException) {
            throw NotWritten("The list of the server's jobs is not written: ${error.message}", error)
        }
        rows = kept
    }

    private fun read(): List<QueueEntry> {
        if (!file.isFile) return emptyList()
        return try {
            val fields = readJson(file.readBytes(), file.name) as? JsonObject
            (fields?.get("jobs") as? JsonList)?.values.orEmpty().mapNotNull(::entryOrNull)
        } catch (_: DocumentRefused) {
            emptyList()
        } catch (_: IOException) {
            emptyList()
        }
    }
}

private fun json(entry: QueueEntry): JsonObject = fieldsOf {
    add("lease", entry.lease)
    add("job", entry.job)
    add("folder", entry.folder)
    add("files", entry.files) { file ->
        fieldsOf {
            add("path", file.path)
            add("sha256", file.sha256)
            add("size_bytes", file.bytes)
        }
    }
    add("heartbeat_s", entry.heartbeatS)
    add("state", entry.state.word)
    add("starts", entry.starts)
    add("sentence", entry.sentence)
}

/** Return an entry as it was written; null where it is of another version. */
private fun entryOrNull(value: mobilebench.core.json.Json): QueueEntry? {
    val fields = value as? JsonObject ?: return null
    fun word(name: String) = (fields[name] as? JsonText)?.value
    fun whole(name: String) = (fields[name] as? JsonInt)?.value
    val files = (fields["files"] as? JsonList)?.values.orEmpty().map { file ->
        val parts = file as? JsonObject ?: return null
        ServerFile(
            (parts["path"] as? JsonText)?.value ?: return null,
            (parts["sha256"] as? JsonText)?.value ?: return null,
            (parts["size_bytes"] as? JsonInt)?.value ?: return null,
        )
    }
    return QueueEntry(
        lease = word("lease") ?: return null,
        job = word("job") ?: return null,
        folder = word("folder") ?: return null,
        files = files,
        heartbeatS = whole("heartbeat_s") ?: return null,
        state = QueueState.values().firstOrNull { it.word == word("state") } ?: return null,
        starts = whole("starts") ?: 0,
        sentence = word("sentence"),
    )
}
