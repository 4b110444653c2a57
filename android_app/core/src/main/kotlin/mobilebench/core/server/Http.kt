package mobilebench.core.server

import java.io.ByteArrayOutputStream
import java.io.IOException
import java.io.InputStream
import java.net.HttpURLConnection
import java.net.URL
import java.net.URLConnection

/** One request to the server. */
class HttpRequest(
    val method: String,
    /** With the query, after the address of the server. */
    val path: String,
    val headers: Map<String, String> = emptyMap(),
    val body: ByteArray? = null,
    /** How long nothing may come before the request counts as lost. */
    val silenceMs: Int = 60_000,
)

/** What came back. */
class HttpAnswer(
    val status: Int,
    /** Names in small letters. */
    val headers: Map<String, String>,
    val body: ByteArray,
)

/** Takes the body of an answer of status 200 or 206 as it comes. */
fun interface TakeBody {
    fun take(status: Int, headers: Map<String, String>, body: InputStream)
}

/** Sends requests. */
fun interface Http {
    /** Send a request; [take] gets a good body in place of the answer. Throws [IOException]. */
    fun send(request: HttpRequest, take: TakeBody?): HttpAnswer
}

/**
 * Sends requests with the system's own client.
 *
 * It follows no redirection: one could lead the token to another server, or out of TLS.
 */
class UrlHttp(private val server: String) : Http {
    override fun send(request: HttpRequest, take: TakeBody?): HttpAnswer {
        val connection = URL(server + request.path).openConnection() as HttpURLConnection
        try {
            connection.requestMethod = request.method
            connection.instanceFollowRedirects = false
            connection.useCaches = false
            connection.connectTimeout = CONNECT_MS
            connection.readTimeout = request.silenceMs
            // Else some systems pack what is sent by range, and unpack it unasked.
            connection.setRequestProperty("Accept-Encoding", "identity")
            for ((name, value) in request.headers) connection.setRequestProperty(name, value)
            request.body?.let { write(connection, it) }
            return answer(connection, take)
        } finally {
            connection.disconnect()
        }
    }

    private fun write(connection: HttpURLConnection, body: ByteArray) {
        connection.doOutput = true
        try {
            connection.outputStream.use { it.write(body) }
        } catch (error: IOException) {
            // A server that refuses a large body may answer before it has read all of it.
            if (statusOrNull(connection) == null) throw error
        }
    }

    private fun statusOrNull(connection: HttpURLConnection): Int? = try {
        connection.responseCode.takeIf { it > 0 }
    } catch (_: IOException) {
        null
    }

    private fun answer(connection: HttpURLConnection, take: TakeBody?): HttpAnswer {
        val status = connection.responseCode
        if (status < 0) throw IOException("the answer is not one of HTTP")
        val headers = headers(connection)
        val stream = if (status < FIRST_ERROR) connection.inputStream else connection.errorStream
        if (stream == null) return HttpAnswer(status, headers, ByteArray(0))
        stream.use {
            if (take != null && (status == OK || status == PARTIAL)) {
                take.take(status, headers, it)
                return HttpAnswer(status, headers, ByteArray(0))
            }
            return HttpAnswer(status, headers, short(it))
        }
    }

    private fun headers(connection: URLConnection): Map<String, String> {
        val headers = HashMap<String, String>()
        for ((name, values) in connection.headerFields) {
            if (name != null && values.isNotEmpty()) headers[name.lowercase()] = values.last()
        }
        return headers
    }

    /** Read an answer that is a small document. */
    private fun short(stream: InputStream): ByteArray {
        val out = ByteArrayOutputStream()
        val buffer = ByteArray(BUFFER)
        while (true) {
            val count = stream.read(buffer)
            if (count < 0) return out.toByteArray()
            out.write(buffer, 0, count)
            if (out.size() > MOST_BYTES) throw IOException("the answer has more than $MOST_BYTES bytes")
        }
    }

    private companion object {
        const val CONNECT_MS = 15_000
        const val OK = 200
        const val PARTIAL = 206
        const val FIRST_ERROR = 400
        const val BUFFER = 1 shl 13
        const val MOST_BYTES = 4 shl 20
    }
}
