package mobilebench.core.journal

import java.io.File
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.channels.OverlappingFileLockException
import java.nio.file.LinkOption.NOFOLLOW_LINKS
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.StandardOpenOption.READ
import java.nio.file.StandardOpenOption.WRITE
import mobilebench.core.json.DocumentRefused

private const val MOST_BYTES = 256L shl 20

/** Read a journal as it lies there. Throws [DocumentRefused] where it is larger than any. */
fun journalContent(file: File): ByteArray {
    requireSize(file.length(), file)
    return file.readBytes()
}

private fun requireSize(bytes: Long, file: File) {
    if (bytes <= MOST_BYTES) return
    throw DocumentRefused(
        "The journal ${file.name} has $bytes bytes, and no run of this app writes more than " +
            "$MOST_BYTES; remove it to begin again.",
    )
}

/** A journal to write on, with what an earlier process left in it; null where it is new. */
class OpenJournal(val earlier: Journal?, val writer: JournalWriter)

/**
 * Open the journal of a job behind its last whole line, and keep other processes from it.
 *
 * What is not whole is kept beside it under `NAME.damaged`, and cut off. Throws [DocumentRefused]
 * for what [readJournal] refuses and where another process writes it, [JournalFailed] where it
 * cannot be written.
 */
fun openJournal(file: File, jobSha256: String): OpenJournal {
    val channel = try {
        // Never through a link: what lies behind one is not of this job.
        FileChannel.open(file.toPath(), CREATE, READ, WRITE, NOFOLLOW_LINKS)
    } catch (error: IOException) {
        throw JournalFailed("The journal $file cannot be written: $error.", error)
    }
    return try {
        lock(channel, file)
        opened(channel, file, jobSha256)
    } catch (error: IOException) {
        channel.close()
        throw JournalFailed("The journal $file cannot be written: $error.", error)
    } catch (error: DocumentRefused) {
        channel.close()
        throw error
    }
}

private fun lock(channel: FileChannel, file: File) {
    val lock = try {
        channel.tryLock()
    } catch (_: OverlappingFileLockException) {
        null
    }
    if (lock == null) {
        throw DocumentRefused("Another run writes the journal ${file.name} now; wait for its end.")
    }
}

/** Read all of it; to open the file once more, and close that, would let go of the lock. */
private fun content(channel: FileChannel, file: File): ByteArray {
    requireSize(channel.size(), file)
    val content = ByteBuffer.allocate(Math.toIntExact(channel.size()))
    while (content.hasRemaining() && channel.read(content) >= 0) continue
    return content.array().copyOf(content.position())
}

private fun opened(channel: FileChannel, file: File, jobSha256: String): OpenJournal {
    val content = content(channel, file)
    // Without a line feed nothing was measured.
    val earlier = content.takeIf { '\n'.code.toByte() in it }
        ?.let { readJournal(it, jobSha256, "the journal ${file.name}") }
    if (earlier?.remark != null) File("${file.path}.damaged").writeBytes(content)
    val bytes = earlier?.bytes?.toLong() ?: 0
    channel.truncate(bytes)
    channel.position(bytes)
    return OpenJournal(earlier, JournalWriter(channel, file.name, earlier?.lines?.size ?: 0))
}
