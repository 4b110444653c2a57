package mobilebench.core.journal

import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors
import java.util.concurrent.ThreadFactory
import java.util.concurrent.TimeUnit
import mobilebench.core.json.text

/** The journal cannot be written; the message is a sentence for people. */
class JournalFailed(message: String, cause: Throwable? = null) : Exception(message, cause)

/**
 * Appends lines to a journal, each at once and as a whole, on a thread of its own.
 *
 * The thread that measures only hands lines over; what a line holds may not be changed any more.
 * A process that is killed loses no written line: the system has it. The disk is made to hold it
 * (`fsync`) after a start, the end of a round and the end, where no sample is taken; what a phone
 * that loses its power has lost is the round that had not ended.
 */
class JournalWriter internal constructor(
    private val channel: FileChannel,
    private val name: String,
    private var number: Int,
    threads: ThreadFactory = DAEMONS,
) : AutoCloseable {
    private val executor: ExecutorService = Executors.newSingleThreadExecutor(threads)

    @Volatile
    private var failure: JournalFailed? = null

    /** Hand a line over. Throws [JournalFailed] where an earlier one could not be written. */
    fun add(line: Line) {
        failure?.let { throw it }
        executor.execute { write(line) }
    }

    /** Wait until every line is written, and let go. Throws [JournalFailed] where one was not. */
    override fun close() {
        executor.shutdown()
        executor.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS)
        channel.close()
        failure?.let { throw it }
    }

    private fun write(line: Line) {
        // After a line that failed, a later one would have the wrong number.
        if (failure != null) return
        try {
            append(line)
        } catch (error: IOException) {
            failure = JournalFailed(
                "The journal $name cannot be written: ${error.message}; it keeps its $number " +
                    "lines so far.",
                error,
            )
        } catch (error: RuntimeException) {
            failure = JournalFailed("Line $number of the journal $name is not one: $error.", error)
        }
    }

    private fun append(line: Line) {
        val text = line.toJson(number).text() + "\n"
        val whole = channel.position()
        val bytes = ByteBuffer.wrap(text.toByteArray())
        try {
            while (bytes.hasRemaining()) channel.write(bytes)
        } catch (error: IOException) {
            cutOff(whole, error)
            throw error
        }
        number++
        if (line.start != null || line.roundEnded != null || line.end != null) channel.force(false)
    }

    /** Cut off the half of a line that a full disk took, so that the journal is whole. */
    private fun cutOff(whole: Long, cause: IOException) {
        try {
            channel.truncate(whole)
        } catch (error: IOException) {
            // A reader leaves half a line out as well.
            cause.addSuppressed(error)
        }
    }
}

private val DAEMONS = ThreadFactory { work ->
    Thread(work, "journal").apply { isDaemon = true }
}
