package mobilebench.app

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import java.io.File
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.KeyStore
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec
import mobilebench.core.server.TokenStore

/**
 * Keeps the token in a file that only this device can read: its key never leaves the key store.
 *
 * A file that was copied to another device, or whose key is gone, counts as no token.
 */
class KeystoreTokens(private val file: File) : TokenStore {
    override fun read(): String? {
        if (!file.isFile) return null
        return try {
            val content = file.readBytes()
            val key = keyOrNull() ?: return null
            val cipher = Cipher.getInstance(CIPHER)
            cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, content, 0, IV_BYTES))
            String(cipher.doFinal(content, IV_BYTES, content.size - IV_BYTES))
        } catch (_: GeneralSecurityException) {
            null
        } catch (_: IllegalArgumentException) {
            // It is shorter than what comes before a token.
            null
        } catch (_: IOException) {
            null
        }
    }

    override fun write(token: String) {
        val neighbour = File("${file.path}.new")
        try {
            val cipher = Cipher.getInstance(CIPHER)
            cipher.init(Cipher.ENCRYPT_MODE, keyOrNull() ?: newKey())
            file.parentFile?.mkdirs()
            neighbour.writeBytes(cipher.iv + cipher.doFinal(token.toByteArray()))
        } catch (error: GeneralSecurityException) {
            throw IOException("The key store does not keep the token: ${error.message}.", error)
        }
        if (!neighbour.renameTo(file)) throw IOException("The file $file cannot be written.")
    }

    override fun clear() {
        file.delete()
        try {
            store().deleteEntry(ALIAS)
        } catch (_: GeneralSecurityException) {
            // Without the file, the key opens nothing.
            return
        }
    }

    private fun store(): KeyStore = KeyStore.getInstance(STORE).apply { load(null) }

    private fun keyOrNull(): SecretKey? = store().getKey(ALIAS, null) as? SecretKey

    private fun newKey(): SecretKey {
        val purposes = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
        val terms = KeyGenParameterSpec.Builder(ALIAS, purposes)
            .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
            .build()
        val generator = KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, STORE)
        generator.init(terms)
        return generator.generateKey()
    }

    private companion object {
        const val STORE = "AndroidKeyStore"
        const val ALIAS = "server-token"
        const val CIPHER = "AES/GCM/NoPadding"
        const val IV_BYTES = 12
        const val TAG_BITS = 128
    }
}
