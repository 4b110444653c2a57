package mobilebench.core.documents

import mobilebench.core.json.DocumentRefused
import mobilebench.core.json.Json
import mobilebench.core.json.JsonObject
import mobilebench.core.json.Mismatch
import mobilebench.core.json.Schema
import mobilebench.core.json.readJson
import mobilebench.core.json.sha256

/** A job with the document that it was read from. */
class JobDocument(
    val job: Job,
    /** With every default, in the version of this app: what a record says of its job. */
    val tree: JsonObject,
    /** Of the bytes of its file; a journal names its job by it. */
    val sha256: String,
)

/** The kinds of documents that cross to a device, each with its schema. */
enum class DocumentKind(private val schemaFile: String) {
    JOB("job.v$JOB_VERSION"),
    SUBJECT("subject.v$SUBJECT_VERSION"),
    LINE("journal.v$JOURNAL_VERSION"),
    RECORD("record.v$RECORD_VERSION");

    private val schema: Schema by lazy {
        Schema(resource("mobilebench/schema/$schemaFile.json") as JsonObject, DocumentRules)
    }

    /**
     * Return a document of this kind with the defaults of its schema.
     *
     * Throws [DocumentRefused] for an unknown or missing field, a wrong type, a number outside its
     * range, another version, and for what contradicts itself. [what] names the document.
     */
    fun read(document: Json, what: String): JsonObject = refusing(what) { schema.read(document) }
}

/** Read a job of version 1 or 2. Throws [DocumentRefused] as [DocumentKind.read] does. */
fun readJob(content: ByteArray, what: String = "the job"): JobDocument {
    val tree = DocumentKind.JOB.read(readJson(content, what), what)
    return JobDocument(refusing(what) { readJob(tree) }, tree, sha256(content))
}

/** Turn a mismatch into the sentence of a refusal. */
internal inline fun <T> refusing(what: String, read: () -> T): T = try {
    read()
} catch (error: Mismatch) {
    throw DocumentRefused("$what is not valid: ${error.described}.", error)
}

/** Return the JSON that was built into this program under a name. */
internal fun resource(name: String): Json {
    val stream = DocumentKind::class.java.classLoader?.getResourceAsStream(name)
    val content = checkNotNull(stream) { "$name is not in this build" }.use { it.readBytes() }
    return readJson(content, name)
}
