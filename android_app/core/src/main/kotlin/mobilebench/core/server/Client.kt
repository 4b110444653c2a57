package mobilebench.core.server

import java.io.ByteArrayOutputStream
import java.io.IOException
import java.util.zip.GZIPOutputStream
import mobilebench.core.documents.Device
import mobilebench.core.documents.Signer
import mobilebench.core.documents.fieldsOf
import mobilebench.core.json.DocumentRefused
import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText
import mobilebench.core.json.JsonList
import mobilebench.core.json.hexadecimal
import mobilebench.core.json.readJson
import mobilebench.core.json.text

/** The server refused a request, and would again; the message is a sentence for people. */
class ServerRefused(val status: Int, val code: String, message: String) : Exception(message)

/** The server was not reached, is busy or is broken: another try may go well. */
class ServerAway(message: String, val askedMs: Long? = null, cause: Throwable? = null) :
    Exception(message, cause)

/** What a device is given when it enrols. */
data class Enrolment(val server: String, val device: String, val scopes: List<String>)

/** A file of a job, as the server names it. */
data class ServerFile(val path: String, val sha256: String, val bytes: Long)

/** A job that this device may do now. */
data class Lease(
    val id: String,
    val job: String,
    val files: List<ServerFile>,
    /** How often to say that the device is still at it. */
    val heartbeatS: Long,
)

/** What a server says of a record that it was sent: `added` or `there`. */
data class Submitted(val recordId: String, val status: String)

/**
 * Talks to a server by its contract (docs/server.md).
 *
 * Every call may take long, and throws [ServerRefused] or [ServerAway].
 */
class ServerClient(
    private val http: Http,
    private val token: String? = null,
    private val server: String = "the server",
) {
    /** Enrol by a code; return the enrolment and its token. The key is pinned to this device. */
    fun enrol(code: String, signer: Signer, device: Device): Pair<Enrolment, String> {
        val body = fieldsOf {
            add("code", code)
            add("public_key", hexadecimal(signer.publicKey))
            add("signature", hexadecimal(signer.sign("$PROOF$code".toByteArray())))
            addAlways("device", describe(device))
        }
        val answer = document(post("/v1/enrol", body))
        val scopes = (answer["scopes"] as? JsonList)?.values.orEmpty()
        val enrolment = Enrolment(
            server,
            answer.needText("device"),
            scopes.mapNotNull { (it as? JsonText)?.value },
        )
        return enrolment to answer.needText("token")
    }

    /** What a server needs to choose jobs: no number of the device or of its owner. */
    private fun describe(device: Device): JsonObject = fieldsOf {
        add("model", device.model)
        add("os", "${device.os} ${device.osVersion}")
        add("os_build", device.osBuild)
        add("kind", device.kind.word)
        add("soc", device.soc)
    }

    /** Wait for a job, at most [waitS] seconds; null where there is none. */
    fun next(waitS: Int): Lease? {
        val silenceMs = (waitS + PATIENCE_S) * 1_000
        val answer = send(HttpRequest("GET", "/v1/jobs/next?wait_s=$waitS", silenceMs = silenceMs))
        if (answer.status == NO_CONTENT) return null
        val lease = document(answer)
        val files = lease["files"] as? JsonObject ?: throw odd("files")
        return Lease(
            id = lease.needText("lease"),
            job = lease.needText("job"),
            files = files.fields.map { (path, file) ->
                val fields = file as? JsonObject ?: throw odd("files")
                ServerFile(path, fields.needText("sha256"), fields.needWhole("size_bytes"))
            },
            heartbeatS = maxOf(1, lease.needWhole("heartbeat_s")),
        )
    }

    /** Say that a job is still worked on. Throws [ServerRefused] of 410 where the lease expired. */
    fun heartbeat(lease: String) {
        post("/v1/leases/${named(lease)}/heartbeat", JsonObject(emptyMap()))
    }

    /** Say that a job is not done here, with a word and a sentence. */
    fun giveBack(lease: String, word: String, sentence: String) {
        val body = fieldsOf {
            add("refused", word.replace(' ', '_'))
            add("sentence", sentence.ifBlank { "It gives no reason." }.take(MOST_SHOWN))
        }
        post("/v1/leases/${named(lease)}/done", body)
    }

    /** Send a record, byte for byte as it was written; it ends the lease, which may be over. */
    fun submit(record: ByteArray, lease: String): Submitted {
        val packed = ByteArrayOutputStream()
        GZIPOutputStream(packed).use { it.write(record) }
        val headers = mapOf(
            "Content-Type" to "application/json",
            "Content-Encoding" to "gzip",
            "Mobilebench-Lease" to lease,
        )
        val request = HttpRequest("POST", "/v1/records", headers, packed.toByteArray())
        val answer = document(send(request))
        return Submitted(answer.needText("record_id"), answer.needText("status"))
    }

    /** Get a file by its hash from a byte on; [take] hears whether the server began there. */
    fun download(sha256: String, from: Long, take: TakeBody) {
        val headers = if (from > 0) mapOf("Range" to "bytes=$from-") else emptyMap()
        send(HttpRequest("GET", "/v1/artifacts/${named(sha256)}", headers), take)
    }

    private fun post(path: String, body: JsonObject): HttpAnswer {
        val headers = mapOf("Content-Type" to "application/json")
        return send(HttpRequest("POST", path, headers, body.text().toByteArray()))
    }

    private fun send(request: HttpRequest, take: TakeBody? = null): HttpAnswer {
        val headers = HashMap(request.headers)
        if (token != null) headers["Authorization"] = "Bearer $token"
        headers["Accept"] = "application/json, application/problem+json"
        val sent = HttpRequest(
            request.method, request.path, headers, request.body, request.silenceMs,
        )
        val answer = try {
            http.send(sent, take)
        } catch (error: NotWritten) {
            throw error
        } catch (error: IOException) {
            val why = error.message ?: error.javaClass.simpleName
            throw ServerAway("The server $server is not reached: $why.", cause = error)
        }
        if (answer.status in GOOD) return answer
        throw refusal(answer)
    }

    private fun refusal(answer: HttpAnswer): Exception {
        val problem = try {
            readJson(answer.body, "the answer") as? JsonObject
        } catch (_: DocumentRefused) {
            null
        }
        val detail = (problem?.get("detail") as? JsonText)?.value?.take(MOST_SHOWN)
            ?: "The server $server answered with status ${answer.status}."
        val code = (problem?.get("code") as? JsonText)?.value.orEmpty()
        val isPassing = answer.status in PASSING || answer.status >= FIRST_OF_SERVER
        if (!isPassing) return ServerRefused(answer.status, code, detail)
        // A date in place of seconds would need a clock that is right.
        val seconds = answer.headers["retry-after"]?.trim()?.toLongOrNull()
        return ServerAway(detail, seconds?.takeIf { it in 0..MOST_SECONDS }?.let { it * 1_000 })
    }

    private fun document(answer: HttpAnswer): JsonObject = try {
        readJson(answer.body, "the answer") as? JsonObject ?: throw odd("fields")
    } catch (error: DocumentRefused) {
        throw ServerAway("The server $server gave no JSON: ${error.message}", cause = error)
    }

    private fun JsonObject.needText(name: String): String =
        (this[name] as? JsonText)?.value ?: throw odd(name)

    private fun JsonObject.needWhole(name: String): Long =
        (this[name] as? JsonInt)?.value ?: throw odd(name)

    private fun odd(name: String) =
        ServerAway("The answer of the server $server has no $name; it may be another version.")

    /** Return a name that is one part of a path. */
    private fun named(name: String): String {
        if (NAME.matches(name)) return name
        throw ServerAway("The server $server gave a name that cannot be asked for.")
    }

    private companion object {
        const val PROOF = "mobilebench-enrol:"
        const val PATIENCE_S = 20
        const val NO_CONTENT = 204
        val GOOD = 200..299
        /** Time out, too early, too many: of no request in itself. */
        val PASSING = setOf(408, 425, 429)
        const val FIRST_OF_SERVER = 500
        const val MOST_SHOWN = 500
        const val MOST_SECONDS = 1_000_000_000L
        val NAME = Regex("[A-Za-z0-9_-]{1,100}")
    }
}

/** What was downloaded cannot be written here; another try on the network would not help. */
class NotWritten(message: String, cause: Throwable? = null) : IOException(message, cause)
