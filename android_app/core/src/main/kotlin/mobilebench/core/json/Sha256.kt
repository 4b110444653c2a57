package mobilebench.core.json

import java.security.MessageDigest

/** Return a fresh SHA-256. */
fun newSha256(): MessageDigest = MessageDigest.getInstance("SHA-256")

/** Return the SHA-256 of bytes, in small hexadecimal digits. */
fun sha256(bytes: ByteArray): String = hexadecimal(newSha256().digest(bytes))

/** Return bytes in small hexadecimal digits. */
fun hexadecimal(bytes: ByteArray): String {
    val digits = "0123456789abcdef"
    val text = StringBuilder(bytes.size * 2)
    for (byte in bytes) {
        text.append(digits[byte.toInt() shr 4 and 15]).append(digits[byte.toInt() and 15])
    }
    return text.toString()
}

/** Return the bytes that hexadecimal digits stand for, or null where the text is none. */
fun bytesOrNull(hexadecimal: String): ByteArray? {
    val digits = hexadecimal.map { if (it.code < 128) Character.digit(it, 16) else -1 }
    if (digits.size % 2 != 0 || -1 in digits) return null
    return ByteArray(digits.size / 2) { (digits[2 * it] * 16 + digits[2 * it + 1]).toByte() }
}
