package mobilebench.core.server

import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.io.InputStream
import java.security.MessageDigest
import mobilebench.core.json.hexadecimal
import mobilebench.core.json.newSha256

private const val BUFFER = 1 shl 16
private val SHA256 = Regex("[0-9a-f]{64}")

/**
 * Gets files by their hash into a folder, and goes on where an earlier try ended.
 *
 * A file has its name, the hash, only when it is whole and has that hash.
 */
class Downloads(private val folder: File, private val client: ServerClient) {
    /** Bytes that came over the network, for what is shown. */
    @Volatile
    var receivedBytes = 0L
        private set

    /**
     * Return the file; get what of it is missing.
     *
     * Throws as [ServerClient] does, and [NotWritten] where there is no room.
     */
    fun get(wanted: ServerFile): File {
        if (!SHA256.matches(wanted.sha256)) {
            throw ServerRefused(0, "odd-hash", "The server names ${wanted.path} by no sha256.")
        }
        val whole = File(folder, wanted.sha256)
        if (whole.isFile && whole.length() == wanted.bytes) return whole
        val part = File(folder, "${wanted.sha256}.part")
        try {
            if (!folder.isDirectory && !folder.mkdirs()) {
                throw NotWritten("The folder $folder cannot be made.")
            }
            if (part.length() > wanted.bytes) part.delete()
            if (!part.isFile) part.createNewFile()
        } catch (error: IOException) {
            throw NotWritten("Nothing can be written into $folder: ${error.message}.", error)
        }
        if (part.length() < wanted.bytes || wanted.bytes == 0L) fetch(wanted, part)
        require(wanted, part)
        if (!part.renameTo(whole)) throw NotWritten("The file $whole cannot be written.")
        return whole
    }

    /** Let go of all files, also of those that are not whole. */
    fun clear() {
        folder.deleteRecursively()
    }

    private fun fetch(wanted: ServerFile, part: File) {
        try {
            client.download(wanted.sha256, part.length()) { status, headers, body ->
                val goesOn = status == PARTIAL && begin(headers) == part.length()
                if (status == PARTIAL && !goesOn) throw IOException("it sent another part")
                append(part, goesOn, body, wanted.bytes)
            }
        } catch (error: ServerRefused) {
            // What lies here is not a part of what the server has.
            if (error.status == RANGE) part.delete()
            throw if (error.status == RANGE) ServerAway(error.message.orEmpty()) else error
        }
        if (part.length() < wanted.bytes) {
            throw ServerAway("${wanted.path} ended after ${part.length()} of ${wanted.bytes} bytes.")
        }
    }

    private fun append(part: File, goesOn: Boolean, body: InputStream, mostBytes: Long) {
        val stream = try {
            FileOutputStream(part, goesOn)
        } catch (error: IOException) {
            throw NotWritten("$part cannot be written: ${error.message}.", error)
        }
        var bytes = if (goesOn) part.length() else 0
        stream.use { out ->
            val buffer = ByteArray(BUFFER)
            while (true) {
                val count = body.read(buffer)
                if (count < 0) return
                bytes += count
                receivedBytes += count
                if (bytes > mostBytes) throw IOException("it sent more than $mostBytes bytes")
                try {
                    out.write(buffer, 0, count)
                } catch (error: IOException) {
                    throw NotWritten("$part cannot be written: ${error.message}.", error)
                }
            }
        }
    }

    private fun require(wanted: ServerFile, part: File) {
        val digest = newSha256()
        part.inputStream().use { add(it, digest) }
        if (part.length() == wanted.bytes && hexadecimal(digest.digest()) == wanted.sha256) return
        part.delete()
        throw ServerAway("${wanted.path} came with other bytes than its hash says; it comes again.")
    }

    private fun add(stream: InputStream, digest: MessageDigest) {
        val buffer = ByteArray(BUFFER)
        while (true) {
            val count = stream.read(buffer)
            if (count < 0) return
            digest.update(buffer, 0, count)
        }
    }

    private companion object {
        const val PARTIAL = 206
        const val RANGE = 416

        /** Return the byte that a part begins with, or -1. */
        fun begin(headers: Map<String, String>): Long =
            headers["content-range"].orEmpty().removePrefix("bytes ").substringBefore('-')
                .toLongOrNull() ?: -1
    }
}
