package mobilebench.core.jobs

import java.io.File
import mobilebench.core.documents.JOB_FILE
import mobilebench.core.documents.Job
import mobilebench.core.documents.RECORD_FILE
import mobilebench.core.documents.files
import mobilebench.core.documents.readJobFolder
import mobilebench.core.json.DocumentRefused

/** Written by the main process before a run, and removed after it: who finds it saw no end. */
const val RUNNING_FILE = "running"

/** Files of a job's folder that this app writes, or that only the cable may bring. */
val WRITTEN_HERE = listOf(RECORD_FILE, RUNNING_FILE, RUN_KEY_FILE, NO_RECORD_FILE)

/** Where a job stands. */
enum class JobState {
    /** It can be run. */
    READY,

    /** A run of it was cut off; another one can go on. */
    CUT_OFF,

    /** Its record is written. */
    DONE,

    /** It cannot be run; the problem says why. */
    FAULTY,
}

/** One folder with a job, or with what should be one. */
data class JobEntry(
    val name: String,
    val folder: File,
    val bytes: Long,
    val state: JobState,
    /** Null where it cannot be read. */
    val job: Job? = null,
    /** What is wrong with it, in a sentence. */
    val problem: String? = null,
)

/**
 * Return the jobs in a folder by name, each with what is wrong with it.
 *
 * Files are looked at and not hashed: that is done before a run, for it takes seconds.
 */
fun jobsIn(folder: File, limits: JobLimits = JobLimits()): List<JobEntry> {
    val folders = folder.listFiles { file -> file.isDirectory && !file.name.startsWith(".") }
    return folders.orEmpty().sortedBy { it.name }.map { jobIn(it, limits) }
}

/** Return the job in its folder, with what is wrong with it. */
fun jobIn(folder: File, limits: JobLimits = JobLimits()): JobEntry {
    val extent = limits.extent(folder)
    val entry = JobEntry(folder.name, folder, extent.bytes, JobState.FAULTY)
    val problem = when {
        !isJobName(folder.name) ->
            "The name of a job's folder has letters, digits and . _ + - alone; name it anew."
        !File(folder, JOB_FILE).isFile ->
            "The folder holds no $JOB_FILE, so it is not the folder of a job."
        else -> limits.tooLarge(extent)
    }
    if (problem != null) return entry.copy(problem = problem)
    val job = try {
        readJobFolder(folder).job
    } catch (error: DocumentRefused) {
        return entry.copy(problem = error.message)
    }
    val wrong = limits.tooMuch(job) ?: taken(job) ?: lost(folder, job)
    if (wrong != null) return entry.copy(job = job, problem = wrong)
    return entry.copy(job = job, state = state(folder, job))
}

/** Say which file of a job has the name of one that the app writes; it would be lost. */
private fun taken(job: Job): String? {
    val names = job.files.keys + job.reporting.journalFile
    val name = names.firstOrNull { it.substringBefore('/').lowercase() in WRITTEN_HERE }
        ?: return null
    return "The job has a file $name, a name that this app writes itself; name it anew."
}

private fun lost(folder: File, job: Job): String? {
    val name = job.files.keys.firstOrNull { !File(folder, it).exists() } ?: return null
    return "The folder has lost $name, which its job names; copy it again."
}

private fun state(folder: File, job: Job): JobState = when {
    File(folder, RECORD_FILE).isFile -> JobState.DONE
    File(folder, job.reporting.journalFile).isFile -> JobState.CUT_OFF
    else -> JobState.READY
}
