package mobilebench.core.jobs

import java.io.File
import java.io.IOException
import java.security.MessageDigest

/** The file in a job's folder whose content lets an intent start the job at once. */
const val RUN_KEY_FILE = "run.key"
private const val LEAST_KEY = 16
private const val MOST_KEY = 256
private val JOB_NAME = Regex("[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")

/** Whether a name is one part of a path that cannot lead out of the folder of jobs. */
fun isJobName(name: String): Boolean = JOB_NAME.matches(name)

/** Return the folder of a job by its name; null where the name is none, or there is no folder. */
fun jobFolder(jobs: File, name: String): File? {
    if (!isJobName(name)) return null
    val folder = File(jobs, name)
    val within = folder.canonicalFile.parentFile == jobs.canonicalFile
    return folder.takeIf { within && it.isDirectory }
}

/**
 * Whether a key is the one that lies in a job's folder.
 *
 * From Android 11 on, no other app reads or writes that folder, so whoever knows the key came by
 * the cable or is this app. A key has 16 to 256 bytes; space around it does not count.
 */
fun keyFits(folder: File, key: String?): Boolean {
    val file = File(folder, RUN_KEY_FILE)
    if (key == null || !file.isFile || file.length() > MOST_KEY) return false
    val kept = try {
        file.readText().trim()
    } catch (_: IOException) {
        return false
    }
    if (kept.length < LEAST_KEY) return false
    return MessageDigest.isEqual(kept.toByteArray(), key.trim().toByteArray())
}
