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
    /** Libraries start as many as they are asked for; of too many, some hang and some abort. */
    val mostThreads: Int = 64,
)

/** The longest time that all rounds may take, without loading. */
val Protocol.longestNs: Long
    get() {
        val gateNs = gate?.let { it.maxWaitNs + it.pollNs } ?: 0
        // The last frame of a round may be waited for after the round's time is up.
        val measuringNs = maxDurationNs + (intervalNs ?: 0)
        val roundNs = coolDownNs + gateNs + warmUp.maxDurationNs + measuringNs
        return try {
            Math.multiplyExact(roundNs, rounds.toLong())
        } catch (_: ArithmeticException) {
            Long.MAX_VALUE
        }
    }

/** The longest time that a run waits without a look at the limits. */
private val Protocol.longestWaitNs: Long
    get() = maxOf(coolDownNs, intervalNs ?: 0, gate?.pollNs ?: 0)

/** The longest time that a job may take: that of its protocol, or its own limit with a wait. */
val Job.longestNs: Long
    get() = minOf(
        protocol.longestNs,
        limits.timeNs?.let { it + protocol.longestWaitNs } ?: Long.MAX_VALUE,
    )

/** Return what of a job is too much to run it, in a sentence; null where nothing is. */
fun JobLimits.tooMuch(job: Job): String? = when {
    job.longestNs > mostNs ->
        "The job may take ${duration(job.longestNs)}, and this app runs jobs of up to " +
            "${duration(mostNs)}; give the job a limit of time."
    job.threads > mostThreads ->
        "The job asks for ${job.threads} threads, and this app runs jobs of up to $mostThreads; " +
            "write it with fewer."
    else -> null
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
