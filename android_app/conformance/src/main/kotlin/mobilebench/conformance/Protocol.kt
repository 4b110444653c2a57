package mobilebench.conformance

import mobilebench.core.documents.Protocols
import mobilebench.core.json.Json
import mobilebench.core.json.JsonObject

/** Answers tasks of the kind `protocol`: the definition behind an id. */
internal object Protocol {
    fun answer(given: JsonObject): Json? = Protocols.definition(given.text("id"))
}
