package mobilebench.conformance

import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.PlacedOperation
import mobilebench.core.documents.UnitTiming
import mobilebench.core.documents.judgeUnit
import mobilebench.core.documents.wordOrNull
import mobilebench.core.json.Json
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText

/** Answers tasks of the kind `evidence`: how well it is known where a model ran. */
internal object Evidence {
    fun answer(given: JsonObject): Json? {
        val placement = given.given("placement")?.let {
            given.objects("placement").map(::operation)
        }
        val timings = given.objects("timings").map {
            UnitTiming(unit(it), it.number("p50_ns"), it.whole("samples").toInt())
        }
        val evidence = judgeUnit(unit(given), given.number("p50_ns"), placement, timings)
        return fields("evidence" to JsonText(evidence.word))
    }

    private fun operation(given: JsonObject) = PlacedOperation(
        name = given.text("name"),
        kind = given.text("kind"),
        unit = given.given("unit")?.let { unit(given) },
        cost = given.numberOrNull("cost"),
    )

    private fun unit(given: JsonObject): ComputeUnit =
        requireNotNull(wordOrNull<ComputeUnit>(given.text("unit")))
}
