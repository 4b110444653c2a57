package mobilebench.core.documents

import java.io.File
import java.io.IOException
import mobilebench.core.json.DocumentRefused
import mobilebench.core.json.JsonObject
import mobilebench.core.json.readJson

const val JOB_FILE = "job.json"
const val SUBJECT_FILE = "subject.json"
const val RECORD_FILE = "record.json"

private const val MOST_BYTES = 16L shl 20

/** A folder with a job, the files that it names, and what the model is. */
class JobFolder(
    val folder: File,
    val document: JobDocument,
    /** What a record says of its model, recipe and artifact; passed on as it came. */
    val subject: JsonObject,
) {
    val job: Job get() = document.job
    val modelFile: File get() = file(job.modelFile)
    val journalFile: File get() = file(job.reporting.journalFile)
    val recordFile: File get() = File(folder, RECORD_FILE)

    /** Return the file of a name that the job holds. */
    fun file(name: String): File = File(folder, name)

    /**
     * Require that the files are those that the job names, and that no link leads out of the
     * folder, also from the journal. Throws [DocumentRefused].
     */
    fun requireFiles() {
        requireWithin(job.reporting.journalFile)
        for ((name, sha256) in job.files) {
            val file = file(name)
            if (!file.exists()) refuse("$folder has lost $name, a file of its job; copy it again.")
            // The weights of an ONNX file may lie beside it.
            for (each in listOf(name, "$name.data")) requireWithin(each)
            val actual = contentSha256(file)
            if (actual == sha256) continue
            refuse(
                "$file is not the file of the job: it has sha256 ${actual.take(12)}, the job " +
                    "names ${sha256.take(12)}; copy it again."
            )
        }
        job.parity?.let { check ->
            requireBatches(file(check.inputsFile), job.inputs, check.batches)
            val outputs = check.outputs.map { it.tensor }
            requireBatches(file(check.expectedFile), outputs, check.batches)
        }
    }

    private fun requireWithin(name: String) {
        if (file(name).canonicalFile.startsWith(folder.canonicalFile)) return
        refuse("$name is a link that leads out of $folder; copy the file itself.")
    }
}

/**
 * Read the folder of a job; its files are not looked at.
 *
 * Throws [DocumentRefused] for a job or a subject that this app cannot read, one without the other,
 * and a subject of another file.
 */
fun readJobFolder(folder: File): JobFolder {
    val document = readJob(content(folder, JOB_FILE), "the $JOB_FILE of ${folder.name}")
    val what = "the $SUBJECT_FILE of ${folder.name}"
    val subject = readJson(content(folder, SUBJECT_FILE), what)
    val about = DocumentKind.SUBJECT.read(subject, what).part("artifact").text("sha256")
    if (about != document.job.modelSha256) {
        refuse(
            "$what is about another file: it names sha256 ${about.take(12)}, and the job " +
                "${document.job.modelSha256.take(12)}."
        )
    }
    return JobFolder(folder, document, subject as JsonObject)
}

private fun content(folder: File, name: String): ByteArray {
    val file = File(folder, name)
    if (!file.isFile) refuse("$folder holds no $name, so it is not the folder of a job.")
    if (file.length() > MOST_BYTES) refuse("$file is larger than ${MOST_BYTES shr 20} MB.")
    return try {
        file.readBytes()
    } catch (error: IOException) {
        throw DocumentRefused("$file cannot be read: ${error.message}.", error)
    }
}

private fun refuse(sentence: String): Nothing = throw DocumentRefused(sentence)
