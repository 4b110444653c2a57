package mobilebench.core.server

private const val SCHEME = "mobilebench://enrol?"
private const val CODE_LENGTH = 8

/** Letters and digits that look like no other one. */
private const val OF_CODES = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
private const val LONGEST = 1_000
private const val HEX = 16

/** Which server a device enrols at, and by which code. */
data class Invitation(val server: String, val code: String)

/**
 * Read the text of a QR code: `mobilebench://enrol?server=URL&code=CODE`.
 *
 * Throws [NotAnInvitation] for anything else, as [readAddress] and [readCode] do.
 */
fun readInvitation(text: String): Invitation {
    val scanned = text.trim()
    if (scanned.length > LONGEST || !scanned.startsWith(SCHEME)) {
        throw NotAnInvitation("This is not an invitation of mobilebench; it begins with $SCHEME.")
    }
    val fields = HashMap<String, String>()
    for (part in scanned.drop(SCHEME.length).split('&')) {
        val name = part.substringBefore('=')
        if (name !in setOf("server", "code") || '=' !in part || name in fields) {
            throw NotAnInvitation("The invitation is not one that this app can read; take a new one.")
        }
        fields[name] = decoded(part.substringAfter('='))
    }
    val server = fields["server"] ?: throw NotAnInvitation("The invitation names no server.")
    val code = fields["code"] ?: throw NotAnInvitation("The invitation has no code.")
    return Invitation(readAddress(server), readCode(code))
}

/**
 * Read what a person typed or pasted: the text of a QR code, or an address, a space and a code.
 *
 * Throws [NotAnInvitation].
 */
fun readTyped(text: String): Invitation {
    val typed = text.trim()
    if (typed.startsWith(SCHEME)) return readInvitation(typed)
    val space = typed.indexOfFirst { it.isWhitespace() }
    if (space < 0) {
        throw NotAnInvitation("Write the address of the server, a space, and the code.")
    }
    return Invitation(readAddress(typed.take(space)), readCode(typed.drop(space).trim()))
}

/** Read a code as people type it: small letters, spaces and hyphens do not count. */
fun readCode(text: String): String {
    val code = text.filter { it != ' ' && it != '-' }.map { if (it in 'a'..'z') it - 32 else it }
    if (code.size == CODE_LENGTH && code.all { it in OF_CODES }) return code.joinToString("")
    throw NotAnInvitation(
        "A code has $CODE_LENGTH letters and digits, without 0, 1, I, L, O and U; look at it again.",
    )
}

/** Return a text with `%41` written as `A`. */
private fun decoded(text: String): String {
    val bytes = ArrayList<Byte>()
    var index = 0
    while (index < text.length) {
        if (text[index] != '%') {
            text[index++].toString().toByteArray().forEach(bytes::add)
            continue
        }
        val digits = text.drop(index + 1).take(2)
        if (digits.length < 2 || digits.any { Character.digit(it, HEX) < 0 || it.code > 127 }) {
            throw NotAnInvitation("The invitation has a % that is followed by no number.")
        }
        bytes.add(digits.toInt(HEX).toByte())
        index += 3
    }
    return String(bytes.toByteArray())
}
