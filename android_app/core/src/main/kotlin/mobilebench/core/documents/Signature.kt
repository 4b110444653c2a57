package mobilebench.core.documents

import java.io.File
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.Key
import java.security.KeyFactory
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.NoSuchAlgorithmException
import java.security.PublicKey
import java.security.spec.InvalidKeySpecException
import java.security.spec.PKCS8EncodedKeySpec
import java.security.spec.X509EncodedKeySpec
import mobilebench.core.json.DocumentRefused
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText
import mobilebench.core.json.bytesOrNull
import mobilebench.core.json.canonical
import mobilebench.core.json.hexadecimal

private typealias Signing = java.security.Signature

/** How records are signed: Ed25519 over the canonical form. */
const val SIGNATURE_ALGORITHM = "ed25519-jcs"

private const val ED25519 = "Ed25519"
private const val SIGNATURE = "signature"
private const val KEY_BYTES = 32

/** What comes before the 32 bytes of a public key in its encoding (RFC 8410). */
private const val PUBLIC_PREFIX = "302a300506032b6570032100"

/** Signs with a key of this device. */
interface Signer {
    /** 32 bytes. */
    val publicKey: ByteArray

    /** Return the 64 bytes of the signature over a message. */
    fun sign(message: ByteArray): ByteArray
}

/** A pair of Ed25519 keys of the platform. */
class KeyPairSigner(private val keys: KeyPair) : Signer {
    override val publicKey: ByteArray
        get() = keys.public.encoded.let { it.copyOfRange(it.size - KEY_BYTES, it.size) }

    override fun sign(message: ByteArray): ByteArray = Signing.getInstance(ED25519).run {
        initSign(keys.private)
        update(message)
        sign()
    }
}

/** Whether a record is as it was signed. */
enum class Intact {
    SIGNED, UNSIGNED,

    /** It has a signature, and this platform cannot check it. */
    UNCHECKED,
}

/**
 * Return this device's key, made on first use and kept in a file that only the app may read.
 *
 * Null where the platform has no Ed25519, as Android before 13: a record stays unsigned then, and
 * is marked so wherever it is shown. Throws [IOException] for a file that holds no such key, or
 * cannot be read or written.
 */
fun deviceKey(file: File): Signer? = try {
    KeyPairSigner(if (file.exists()) storedKey(file) else newKey(file))
} catch (_: NoSuchAlgorithmException) {
    null
}

private fun storedKey(file: File): KeyPair {
    val factory = KeyFactory.getInstance(ED25519)
    val encoded = file.readText().lines().map { bytesOrNull(it) ?: ByteArray(0) }
    return try {
        if (encoded.size != 2) throw InvalidKeySpecException("there are ${encoded.size} lines")
        KeyPair(
            factory.generatePublic(X509EncodedKeySpec(encoded[1])),
            factory.generatePrivate(PKCS8EncodedKeySpec(encoded[0])),
        )
    } catch (error: InvalidKeySpecException) {
        throw IOException("$file holds no key; remove it, and a new one is made.", error)
    }
}

private fun newKey(file: File): KeyPair {
    val keys = KeyPairGenerator.getInstance(ED25519).generateKeyPair()
    val text = listOf<Key>(keys.private, keys.public).joinToString("\n") {
        hexadecimal(it.encoded)
    }
    val neighbour = File("${file.path}.new")
    neighbour.writeText(text)
    if (!neighbour.renameTo(file)) throw IOException("The key $file cannot be written.")
    return keys
}

/** Return the record with the signature of this device; unsigned without a signer. */
fun signed(record: JsonObject, signer: Signer?): JsonObject {
    val unsigned = unsigned(record)
    if (signer == null) return unsigned
    val signature = fieldsOf {
        add("algorithm", SIGNATURE_ALGORITHM)
        add("public_key", hexadecimal(signer.publicKey))
        add("value", hexadecimal(signer.sign(canonicalBytes(unsigned))))
    }
    return JsonObject(unsigned.fields + (SIGNATURE to signature))
}

/** Return the document without its signature, as it is signed. */
fun unsigned(record: JsonObject): JsonObject = JsonObject(record.fields - SIGNATURE)

private fun canonicalBytes(unsigned: JsonObject): ByteArray = unsigned.canonical().toByteArray()

/**
 * Check the signature of a record as it was read; [what] names it.
 *
 * Throws [DocumentRefused] where it was changed after it was signed, or has an invalid signature.
 */
fun requireIntact(record: JsonObject, what: String): Intact {
    val signature = record.known(SIGNATURE) ?: return Intact.UNSIGNED
    val matches = try {
        signature is JsonObject && matches(record, signature)
    } catch (_: NoSuchAlgorithmException) {
        return Intact.UNCHECKED
    } catch (_: GeneralSecurityException) {
        false
    }
    if (matches) return Intact.SIGNED
    throw DocumentRefused(
        "$what does not match its signature: it was changed after it was signed. Take it from " +
            "where it was measured."
    )
}

private fun matches(record: JsonObject, signature: JsonObject): Boolean {
    fun bytes(name: String) = (signature[name] as? JsonText)?.let { bytesOrNull(it.value) }
    val public = bytes("public_key")?.takeIf { it.size == KEY_BYTES } ?: return false
    val value = bytes("value") ?: return false
    if (signature["algorithm"] != JsonText(SIGNATURE_ALGORITHM)) return false
    return Signing.getInstance(ED25519).run {
        initVerify(publicKey(public))
        update(canonicalBytes(unsigned(record)))
        verify(value)
    }
}

private fun publicKey(bytes: ByteArray): PublicKey {
    val encoded = bytesOrNull(PUBLIC_PREFIX + hexadecimal(bytes))
    return KeyFactory.getInstance(ED25519).generatePublic(X509EncodedKeySpec(encoded))
}
