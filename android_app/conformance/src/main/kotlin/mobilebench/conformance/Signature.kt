package mobilebench.conformance

import java.security.KeyPairGenerator
import java.security.SecureRandom
import mobilebench.core.documents.KeyPairSigner
import mobilebench.core.documents.signed
import mobilebench.core.json.Json
import mobilebench.core.json.JsonObject
import mobilebench.core.json.bytesOrNull

/** Answers tasks of the kind `signature`: the signature of a document by a key that is given. */
internal object Signature {
    fun answer(given: JsonObject): Json? {
        val key = bytesOrNull(given.text("private_key")) ?: return null
        val keys = KeyPairGenerator.getInstance("Ed25519")
        // A new private key is 32 random bytes, so this is how a JVM computes the public one.
        keys.initialize(KEY_BITS, Drawing(key))
        val signer = KeyPairSigner(keys.generateKeyPair())
        return signed(given["document"] as JsonObject, signer)["signature"]
    }

    private const val KEY_BITS = 255
}

/** Draws the bytes that it was given. */
private class Drawing(private val given: ByteArray) : SecureRandom() {
    override fun nextBytes(bytes: ByteArray) {
        given.copyInto(bytes)
    }

    private companion object {
        private const val serialVersionUID = 1L
    }
}
