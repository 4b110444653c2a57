package mobilebench.conformance

import mobilebench.core.diagnoses.diagnose
import mobilebench.core.documents.deviceOf
import mobilebench.core.documents.measurementOf
import mobilebench.core.documents.protocolOf
import mobilebench.core.json.Json
import mobilebench.core.json.JsonList
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText

/** Answers tasks of the kind `diagnoses`. */
internal object Diagnoses {
    fun answer(given: JsonObject): Json? {
        val measurement = measurementOf(given["measurement"] ?: return null)
        val protocol = protocolOf(given["protocol"] ?: return null)
        val judgement = diagnose(measurement, protocol, deviceOf(given["device"] ?: return null))
        return fields(
            "validity" to JsonText(judgement.validity.word),
            "reasons" to JsonList(judgement.reasons.map { JsonText(it.word) }),
        )
    }
}
