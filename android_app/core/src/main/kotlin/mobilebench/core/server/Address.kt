package mobilebench.core.server

/** What a person typed or scanned is not taken; the message is a sentence for people. */
class NotAnInvitation(message: String) : Exception(message)

private val ADDRESS = Regex(
    "(https?)://(\\[[0-9A-Fa-f:.]+]|[A-Za-z0-9][A-Za-z0-9.-]*)(:[0-9]{1,5})?((?:/[A-Za-z0-9._~-]+)*)/?",
)
private const val LARGEST_PORT = 65_535

/**
 * Read the address of a server; return it without a slash at the end.
 *
 * Without TLS, others on the way could read the token and change a model, so `http` is taken for
 * this device alone: `localhost`, `127.x.x.x` and `[::1]`. Throws [NotAnInvitation].
 */
fun readAddress(text: String): String {
    val typed = text.trim()
    val match = ADDRESS.matchEntire(typed) ?: throw NotAnInvitation(
        "${shownAddress(typed)} is not the address of a server; write it as https://HOST or " +
            "https://HOST:PORT.",
    )
    val (scheme, host, port, path) = match.destructured
    if (port.isNotEmpty() && port.drop(1).toInt() !in 1..LARGEST_PORT) {
        throw NotAnInvitation("The port of ${shownAddress(typed)} is not one of 1 to $LARGEST_PORT.")
    }
    if (scheme == "http" && !isLoopback(host)) {
        throw NotAnInvitation(
            "${shownAddress(typed)} is not encrypted, and others on the way could read the token; " +
                "write https, for which the server needs TLS.",
        )
    }
    return "$scheme://$host$port$path"
}

/** Whether a host is this device, as its name says. */
private fun isLoopback(host: String): Boolean {
    val name = host.lowercase()
    if (name == "localhost" || name == "[::1]") return true
    val parts = name.split('.')
    return parts.size == 4 && parts[0] == "127" && parts.all { part ->
        part.length in 1..3 && part.all { it in '0'..'9' } && part.toInt() <= 255
    }
}

private fun shownAddress(text: String): String = if (text.length <= 100) text else text.take(100) + "..."
