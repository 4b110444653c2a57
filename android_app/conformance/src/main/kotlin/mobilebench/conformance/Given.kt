package mobilebench.conformance

import mobilebench.core.json.Json
import mobilebench.core.json.JsonDouble
import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonList
import mobilebench.core.json.JsonNull
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText

// Fields of a task. A vector is right by definition, so a missing or wrong field is a mistake here.

internal fun JsonObject.given(name: String): Json? = this[name].takeUnless { it is JsonNull }

internal fun JsonObject.whole(name: String): Long = (this[name] as JsonInt).value

internal fun JsonObject.wholeOr(name: String, other: Long): Long =
    (given(name) as JsonInt?)?.value ?: other

internal fun JsonObject.text(name: String): String = (this[name] as JsonText).value

internal fun JsonObject.list(name: String): List<Json> =
    (given(name) as JsonList?)?.values.orEmpty()

internal fun JsonObject.objects(name: String): List<JsonObject> =
    list(name).map { it as JsonObject }

internal fun JsonObject.wholes(name: String): LongArray {
    val values = list(name)
    return LongArray(values.size) { (values[it] as JsonInt).value }
}

internal fun JsonObject.number(name: String): Double = number(fields.getValue(name))

internal fun JsonObject.numberOrNull(name: String): Double? = given(name)?.let(::number)

internal fun JsonObject.numbers(name: String): DoubleArray {
    val values = list(name)
    return DoubleArray(values.size) { number(values[it]) }
}

/** Read spans of equal values as the column that they stand for. */
internal fun JsonObject.column(name: String): LongArray {
    val column = objects(name).flatMap { span ->
        List(span.whole("count").toInt()) { span.whole("value") }
    }
    return column.toLongArray()
}

/** Write a column as spans of equal values. */
internal fun spans(column: IntArray): JsonList {
    val spans = ArrayList<Json>()
    var begin = 0
    for (at in 1..column.size) {
        if (at < column.size && column[at] == column[begin]) continue
        spans += fields("count" to whole(at - begin), "value" to whole(column[begin]))
        begin = at
    }
    return JsonList(spans)
}

internal fun fields(vararg fields: Pair<String, Json>) = JsonObject(linkedMapOf(*fields))

internal fun whole(value: Int) = JsonInt(value.toLong())

internal fun numbers(values: Map<String, Double>) =
    JsonObject(values.mapValues { (_, value) -> JsonDouble(value) })

private fun number(json: Json): Double =
    if (json is JsonInt) json.value.toDouble() else (json as JsonDouble).value
