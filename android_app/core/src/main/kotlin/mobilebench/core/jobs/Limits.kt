package mobilebench.core.jobs

import java.io.File
import mobilebench.core.documents.Job
import mobilebench.core.documents.Protocol
import mobilebench.core.screens.duration
import mobilebench.core.screens.size

/** How large and how long a job may be that this app runs. */
data class JobLimits(
    val mostBytes: Long = 2_000_000_000,
    val mostFiles: Int = 1_000,
    val mostNs: Long = 3 * 3_600_000_000_000,
)

/** The longest time that all rounds may take, without loading. */
val Protocol.longestNs: Long
    get() {
        val gateNs = gate?.let { it.maxWaitNs + it.pollNs } ?: 0
        val roundNs = coolDownNs + gateNs + warmUp.maxDurationNs + maxDurationNs
        return try {
            Math.multiplyExact(roundNs, rounds.toLong())
        } catch (_: ArithmeticException) {
            Long.MAX_VALUE
        }
    }

/** The longest time that a job may take: that of its protocol, or its own limit. */
val Job.longestNs: Long get() = minOf(protocol.longestNs, limits.timeNs ?: Long.MAX_VALUE)

/** Return what makes a job too long to run, in a sentence; null where nothing does. */
fun JobLimits.tooLong(job: Job): String? {
    if (job.longestNs <= mostNs) return null
    return "The job may take ${duration(job.longestNs)}, and this app runs jobs of up to " +
        "${duration(mostNs)}; give the job a limit of time."
}

/** Files and bytes in a folder; a count that is beyond a limit is not counted further. */
data class Extent(val files: Int, val bytes: Long)

/** Count a folder's files and bytes. Links are not followed. */
fun JobLimits.extent(folder: File): Extent {
    var files = 0
    var bytes = 0L
    for (file in folder.walkTopDown().onEnter { !isLink(it) }) {
        if (!file.isFile) continue
        files += 1
        bytes += file.length()
        if (files > mostFiles) break
    }
    return Extent(files, bytes)
}

/** Return what makes a folder too large, in a sentence; null where nothing does. */
fun JobLimits.tooLarge(extent: Extent): String? = when {
    extent.files > mostFiles ->
        "The folder has more than $mostFiles files, so it is not the folder of one job."
    extent.bytes > mostBytes ->
        "The folder has ${size(extent.bytes)}, and this app takes jobs of up to " +
            "${size(mostBytes)}."
    else -> null
}

private fun isLink(file: File): Boolean = file.absoluteFile.parentFile
    ?.let { File(it.canonicalFile, file.name) }
    ?.let { it.canonicalFile != it.absoluteFile } ?: false
