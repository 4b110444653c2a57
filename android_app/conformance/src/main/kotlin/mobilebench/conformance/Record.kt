package mobilebench.conformance

import mobilebench.core.documents.DocumentKind
import mobilebench.core.documents.requireIntact
import mobilebench.core.documents.unsigned
import mobilebench.core.json.Json
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText
import mobilebench.core.json.canonical
import mobilebench.core.json.readJson
import mobilebench.core.json.sha256

/** Answers tasks of the kind `record`: the canonical form, or why a record is refused. */
internal object Record {
    fun answer(given: JsonObject): Json? {
        val document = given["document"] ?: return read(given.text("text"))
        val form = unsigned(document as JsonObject).canonical()
        return fields(
            "canonical" to JsonText(form), "sha256" to JsonText(sha256(form.toByteArray()))
        )
    }

    private fun read(text: String): Json {
        val document = readJson(text, "the record")
        if (document is JsonObject) requireIntact(document, "the record")
        return DocumentKind.RECORD.read(document, "the record")
    }
}
