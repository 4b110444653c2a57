package mobilebench.core.jobs

import java.io.File
import java.io.IOException
import java.io.InputStream
import java.util.zip.ZipInputStream
import mobilebench.core.documents.JOB_FILE
import mobilebench.core.documents.Reporting
import mobilebench.core.documents.readJobFolder
import mobilebench.core.json.DocumentRefused
import mobilebench.core.screens.size

/** A job cannot be taken in; the message is a sentence for people. */
class ImportRefused(message: String) : Exception(message)

/** One file that comes in, with its path in the folder of the job. */
class Incoming(val path: String, val open: () -> InputStream)

private const val PART_BYTES = 1 shl 16
private const val STAGED = ".incoming-"

/**
 * Copy the files of a job into a new folder below [jobs]; return the folder.
 *
 * It appears whole or not at all. Files that a run writes (journal, record) and a run key do not
 * come in: a job from elsewhere begins anew, and waits for the user. Throws [ImportRefused].
 */
fun importJob(
    jobs: File,
    name: String,
    files: Sequence<Incoming>,
    limits: JobLimits = JobLimits(),
): File {
    val target = File(jobs, newName(jobs, name))
    val staged = File(jobs, STAGED + target.name)
    staged.deleteRecursively()
    try {
        if (!staged.mkdirs()) throw ImportRefused("The folder $staged cannot be made.")
        val copied = Copier(staged, limits).copy(files)
        if (copied == 0 || !File(staged, JOB_FILE).isFile) {
            throw ImportRefused(
                "What was chosen holds no $JOB_FILE, so it is not the folder of a job.",
            )
        }
        if (!staged.renameTo(target)) throw ImportRefused("The folder $target cannot be made.")
    } catch (error: IOException) {
        val cause = error.message ?: error.javaClass.simpleName
        throw ImportRefused("The job cannot be copied: $cause.")
    } finally {
        staged.deleteRecursively()
    }
    return target
}

/** Copy a job out of a zip file; otherwise as [importJob]. Its folder may be packed with it. */
fun importZip(
    jobs: File,
    name: String,
    stream: InputStream,
    limits: JobLimits = JobLimits(),
): File = ZipInputStream(stream.buffered()).use { zip ->
    val entries = generateSequence { nextFile(zip) }.map { path -> Incoming(path) { Kept(zip) } }
    importJob(jobs, name.removeSuffix(".zip"), entries, limits)
}

private fun nextFile(zip: ZipInputStream): String? {
    try {
        return generateSequence { zip.nextEntry }.firstOrNull { !it.isDirectory }?.name
    } catch (error: IllegalArgumentException) {
        // Java says so of names that are not UTF-8.
        throw IOException("the zip file has a name that cannot be read", error)
    }
}

/** A stream inside another one that goes on after it. */
private class Kept(stream: InputStream) : java.io.FilterInputStream(stream) {
    override fun close() = Unit
}

private class Copier(private val folder: File, private val limits: JobLimits) {
    private var files = 0
    private var bytes = 0L
    private var top: String? = null

    fun copy(incoming: Sequence<Incoming>): Int {
        for (each in incoming) copy(each)
        lift()
        return files
    }

    private fun copy(incoming: Incoming) {
        val parts = incoming.path.split('/')
        if (parts.any { it.isEmpty() || it == "." || it == ".." || '\\' in it || '\u0000' in it }) {
            throw ImportRefused(
                "The file ${incoming.path} leads out of the folder of the job; nothing was taken.",
            )
        }
        files += 1
        if (files > limits.mostFiles) {
            throw ImportRefused(
                "There are more than ${limits.mostFiles} files: this is not the folder of one job.",
            )
        }
        if (top == null) top = parts[0]
        if (parts[0] != top) top = ""
        val file = File(folder, incoming.path)
        file.parentFile?.mkdirs()
        incoming.open().use { from -> file.outputStream().use { to -> copy(from, to::write) } }
    }

    private fun copy(from: InputStream, write: (ByteArray, Int, Int) -> Unit) {
        val buffer = ByteArray(PART_BYTES)
        while (true) {
            val count = from.read(buffer)
            if (count < 0) return
            bytes += count
            if (bytes > limits.mostBytes) {
                throw ImportRefused(
                    "The files have more than ${size(limits.mostBytes)}, the most that is taken.",
                )
            }
            write(buffer, 0, count)
        }
    }

    /** Take files out of the one folder that they were packed with; drop what runs wrote. */
    private fun lift() {
        val packed = top?.takeIf { it.isNotEmpty() }?.let { File(folder, it) }
        if (packed != null && packed.isDirectory && File(packed, JOB_FILE).isFile) {
            val aside = File(folder.path + ".packed")
            aside.deleteRecursively()
            if (!packed.renameTo(aside)) throw IOException("$packed cannot be moved")
            folder.deleteRecursively()
            if (!aside.renameTo(folder)) throw IOException("$aside cannot be moved")
        }
        for (name in WRITTEN_HERE + journal()) File(folder, name).deleteRecursively()
    }

    /** The journal that the job names; nothing goes on with one that came with it. */
    private fun journal(): String = try {
        readJobFolder(folder).job.reporting.journalFile
    } catch (_: DocumentRefused) {
        // Such a job is never run.
        Reporting().journalFile
    }
}

/** Return a name for a folder of jobs that is like the one asked for and not taken yet. */
private fun newName(jobs: File, wish: String): String {
    val plain = wish.replace(Regex("[^A-Za-z0-9._+-]"), "-").trimStart('.', '-', '_', '+').take(80)
    val name = plain.ifEmpty { "job" }
    return generateSequence(1) { it + 1 }
        .map { if (it == 1) name else "$name-$it" }
        .first { !File(jobs, it).exists() }
}
