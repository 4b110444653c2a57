package mobilebench.core.server

import java.io.File
import java.io.IOException
import mobilebench.core.documents.RECORD_FILE
import mobilebench.core.jobs.ImportRefused
import mobilebench.core.jobs.Incoming
import mobilebench.core.jobs.JobLimits
import mobilebench.core.jobs.JobState
import mobilebench.core.jobs.NoRecord
import mobilebench.core.jobs.Why
import mobilebench.core.jobs.importJob
import mobilebench.core.jobs.jobIn
import mobilebench.core.jobs.noRecordOf
import mobilebench.core.json.sha256
import mobilebench.core.screens.size

/** What one step came to. */
enum class StepKind(val word: String) {
    /** The server has no job for this device. */
    IDLE("idle"),

    /** A job is here whole. */
    FETCHED("fetched"),

    /** A job has to be measured now, while the lease is kept. */
    READY("ready"),

    /** The lease of a job that was not begun expired, so it is left to others. */
    DROPPED("dropped"),

    /** The server has the record. */
    SENT("sent"),

    /** The server knows why there is no record. */
    GIVEN_BACK("given back"),

    /** The server does not take the record; it stays here. */
    KEPT("kept"),
}

/** What one step came to, and for which job. */
class Step(val kind: StepKind, val entry: QueueEntry? = null, val sentence: String? = null)

/**
 * Takes the jobs of a server from the first byte to the record, one step at a time.
 *
 * All that counts lies on the disk before the next step, so a process that ends loses a step at
 * most. Times of leases are the server's alone: this asks whether a lease holds, and never
 * compares clocks. Used by one thread.
 */
class ServerWork(
    private val client: ServerClient,
    val queue: Queue,
    private val jobs: File,
    private val limits: JobLimits = JobLimits(),
    private val waitS: Int = 25,
) {
    val downloads = Downloads(File(jobs, FETCHED), client)

    /** Do what comes next. Throws as [ServerClient] does, and [NotWritten]. */
    fun step(): Step {
        val entry = queue.current ?: return next()
        return when (entry.state) {
            QueueState.FETCHING -> fetch(entry)
            QueueState.WAITING -> look(entry)
            QueueState.SENDING -> send(entry)
            QueueState.SENT, QueueState.KEPT -> throw IllegalStateException("it is not under way")
        }
    }

    /** Write down that a run begins for the server. */
    fun begins(entry: QueueEntry) = queue.put(entry.copy(starts = entry.starts + 1))

    private fun next(): Step {
        val lease = client.next(waitS) ?: return Step(StepKind.IDLE)
        val entry = QueueEntry(
            lease.id, lease.job, folderName(lease), lease.files, lease.heartbeatS,
        )
        queue.put(entry)
        return fetch(entry, isFresh = true)
    }

    private fun fetch(entry: QueueEntry, isFresh: Boolean = false): Step {
        val waiting = entry.copy(state = QueueState.WAITING)
        val folder = File(jobs, entry.folder)
        if (!folder.isDirectory) {
            val problem = tooMuch(entry.files)
            if (problem != null) return refuse(entry, problem)
            if (!isFresh && !holds(entry)) return drop(entry)
            try {
                LeaseKeeper(client, entry.lease, entry.heartbeatS).use { take(entry) }
            } catch (error: ImportRefused) {
                return refuse(entry, error.message.orEmpty())
            } catch (error: ServerRefused) {
                if (error.status == UNAUTHORIZED) throw error
                return refuse(entry, error.message.orEmpty())
            }
        }
        queue.put(waiting)
        downloads.clear()
        return Step(StepKind.FETCHED, waiting)
    }

    private fun take(entry: QueueEntry) {
        val files = entry.files.map { it.path to downloads.get(it) }
        val incoming = files.map { (path, file) -> Incoming(path) { file.inputStream() } }
        importJob(jobs, entry.folder, incoming.asSequence(), limits)
    }

    /** Say what of a job is too much before a byte of it is fetched. */
    private fun tooMuch(files: List<ServerFile>): String? {
        val bytes = files.fold(0L) { sum, file -> sum + minOf(file.bytes, Long.MAX_VALUE / 4_000) }
        // They are copied once into the folder of the job.
        val room = minOf(limits.mostBytes, jobs.usableSpace / 2)
        return when {
            files.any { it.bytes < 0 } -> "A file of the job has a size below 0."
            files.size > limits.mostFiles -> "The job has more than ${limits.mostFiles} files."
            bytes > room -> "The job has ${size(bytes)}, and this device takes ${size(room)} now."
            else -> null
        }
    }

    private fun look(entry: QueueEntry): Step {
        val folder = File(jobs, entry.folder)
        val job = jobIn(folder, limits)
        val none = noRecordOf(folder)
        if (job.state == JobState.DONE) return sending(entry)
        if (job.state == JobState.FAULTY) return refuse(entry, job.problem.orEmpty())
        if (none != null && (none.why in FINAL || entry.starts >= MOST_STARTS)) {
            return giveBack(entry, none)
        }
        if (entry.starts >= MOST_STARTS) return giveBack(entry, NoRecord(Why.CUT_OFF, GIVEN_UP))
        if (job.state == JobState.READY && !holds(entry)) return drop(entry)
        return Step(StepKind.READY, entry)
    }

    private fun sending(entry: QueueEntry): Step {
        val sending = entry.copy(state = QueueState.SENDING)
        queue.put(sending)
        return send(sending)
    }

    private fun refuse(entry: QueueEntry, sentence: String): Step =
        giveBack(entry, NoRecord(Why.REFUSED, sentence))

    private fun giveBack(entry: QueueEntry, none: NoRecord): Step {
        val sending = entry.copy(
            state = QueueState.SENDING, sentence = "${none.why.word}: ${none.sentence}",
        )
        queue.put(sending)
        return send(sending)
    }

    private fun send(entry: QueueEntry): Step {
        val record = File(File(jobs, entry.folder), RECORD_FILE)
        return if (record.isFile) send(entry, record) else tellWhy(entry)
    }

    private fun tellWhy(entry: QueueEntry): Step {
        val told = entry.sentence.orEmpty()
        giveUp(entry, told.substringBefore(": "), told.substringAfter(": "))
        downloads.clear()
        queue.put(entry.copy(state = QueueState.SENT))
        return Step(StepKind.GIVEN_BACK, entry, told)
    }

    /** Give the job back, so that another device has it. */
    private fun giveUp(entry: QueueEntry, word: String, sentence: String) {
        try {
            client.giveBack(entry.lease, word, sentence)
        } catch (error: ServerRefused) {
            // Of a lease that expired, another device has the job already.
            if (error.status == UNAUTHORIZED) throw error
        }
    }

    private fun send(entry: QueueEntry, record: File): Step {
        val content = try {
            record.readBytes()
        } catch (error: IOException) {
            throw NotWritten("The record cannot be read: ${error.message}.", error)
        }
        val submitted = try {
            client.submit(content, entry.lease)
        } catch (error: ServerRefused) {
            if (error.status !in FOR_GOOD) throw error
            val sentence = error.message.orEmpty()
            giveUp(entry, NOT_TAKEN, sentence)
            queue.put(entry.copy(state = QueueState.KEPT, sentence = sentence))
            return Step(StepKind.KEPT, entry, sentence)
        }
        queue.put(entry.copy(state = QueueState.SENT, sentence = null))
        return Step(StepKind.SENT, entry, submitted.status)
    }

    /** Whether the server still keeps the job for this device. */
    private fun holds(entry: QueueEntry): Boolean = try {
        client.heartbeat(entry.lease)
        true
    } catch (error: ServerRefused) {
        if (error.status != GONE && error.status != NOT_FOUND) throw error
        false
    }

    private fun drop(entry: QueueEntry): Step {
        File(jobs, entry.folder).deleteRecursively()
        queue.remove(entry.lease)
        return Step(StepKind.DROPPED, entry)
    }

    private companion object {
        const val FETCHED = ".fetched"
        const val NOT_TAKEN = "record not taken"
        const val UNAUTHORIZED = 401
        const val NOT_FOUND = 404
        const val GONE = 410
        val FOR_GOOD = setOf(400, 403, 409, 413, 415, 422)
        val FINAL = setOf(Why.REFUSED, Why.STOPPED)
        const val MOST_STARTS = 3L
        const val GIVEN_UP = "The process ended in each of 3 runs."
    }
}

/** Name the folder of a job: by the job, and by the lease, which comes once. */
private fun folderName(lease: Lease): String {
    val job = lease.job.replace(Regex("[^A-Za-z0-9]"), "-").take(MOST_OF_NAME)
    return "server-$job-${sha256(lease.id.toByteArray()).take(MOST_OF_LEASE)}"
}

private const val MOST_OF_NAME = 40
private const val MOST_OF_LEASE = 8
