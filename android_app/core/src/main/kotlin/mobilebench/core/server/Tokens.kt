package mobilebench.core.server

import java.io.File
import java.io.IOException
import mobilebench.core.documents.fieldsOf
import mobilebench.core.json.DocumentRefused
import mobilebench.core.json.JsonList
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText
import mobilebench.core.json.readJson
import mobilebench.core.json.text

/** Keeps the token of this device: in the system's key store in the app, in a file in tests. */
interface TokenStore {
    /** Return the token; null where there is none, or it can no longer be read. */
    fun read(): String?

    /** Keep a token in place of the one before. Throws [IOException]. */
    fun write(token: String)

    /** Forget the token. */
    fun clear()
}

/** Keeps the token in a file as it is, for programs of a computer. */
class TokenFile(private val file: File) : TokenStore {
    override fun read(): String? = try {
        if (file.isFile) file.readText().trim().ifEmpty { null } else null
    } catch (_: IOException) {
        null
    }

    override fun write(token: String) = writeWhole(file, token)

    override fun clear() {
        file.delete()
    }
}

/** Keeps where this device is enrolled, without the token. */
class EnrolmentFile(private val file: File) {
    /** Return the enrolment; null where there is none. */
    fun read(): Enrolment? {
        if (!file.isFile) return null
        return try {
            val fields = readJson(file.readBytes(), file.name) as? JsonObject ?: return null
            val scopes = (fields["scopes"] as? JsonList)?.values.orEmpty()
            Enrolment(
                (fields["server"] as? JsonText)?.value ?: return null,
                (fields["device"] as? JsonText)?.value ?: return null,
                scopes.mapNotNull { (it as? JsonText)?.value },
            )
        } catch (_: DocumentRefused) {
            null
        } catch (_: IOException) {
            null
        }
    }

    /** Keep an enrolment in place of the one before. Throws [IOException]. */
    fun write(enrolment: Enrolment) = writeWhole(
        file,
        fieldsOf {
            add("server", enrolment.server)
            add("device", enrolment.device)
            add("scopes", enrolment.scopes) { JsonText(it) }
        }.text(),
    )

    /** Forget the enrolment. */
    fun clear() {
        file.delete()
    }
}

/** Write a file that is whole or not there. Throws [IOException]. */
internal fun writeWhole(file: File, text: String) {
    val folder = file.absoluteFile.parentFile
    if (folder != null && !folder.isDirectory && !folder.mkdirs()) {
        throw IOException("The folder $folder cannot be made.")
    }
    val neighbour = File("${file.path}.new")
    java.io.FileOutputStream(neighbour).use {
        it.write(text.toByteArray())
        it.fd.sync()
    }
    if (!neighbour.renameTo(file)) throw IOException("The file $file cannot be written.")
}
