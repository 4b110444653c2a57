package mobilebench.core.documents

import mobilebench.core.json.Json
import mobilebench.core.json.JsonBool
import mobilebench.core.json.JsonDouble
import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonList
import mobilebench.core.json.JsonNull
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText
import mobilebench.core.json.Mismatch

// Fields of an object that fits its schema and has its defaults: of each, the type is known.

internal fun JsonObject.known(name: String): Json? = this[name].takeUnless { it is JsonNull }

internal fun JsonObject.text(name: String): String = (this[name] as JsonText).value

internal fun JsonObject.textOrNull(name: String): String? = (known(name) as JsonText?)?.value

internal fun JsonObject.whole(name: String): Long = (this[name] as JsonInt).value

internal fun JsonObject.wholeOrNull(name: String): Long? = (known(name) as JsonInt?)?.value

/** Return a whole number that 32 bits hold. Throws [Mismatch] for a larger one. */
internal fun JsonObject.count(name: String): Int {
    val value = whole(name)
    need(value in Int.MIN_VALUE..Int.MAX_VALUE, "$name is $value, more than this device can count")
    return value.toInt()
}

internal fun JsonObject.countOrNull(name: String): Int? = known(name)?.let { count(name) }

internal fun JsonObject.number(name: String): Double = (this[name] as Json).asNumber()

internal fun JsonObject.numberOrNull(name: String): Double? = known(name)?.asNumber()

internal fun JsonObject.flag(name: String): Boolean = (this[name] as JsonBool).value

internal fun JsonObject.flagOrNull(name: String): Boolean? = (known(name) as JsonBool?)?.value

internal inline fun <reified T> JsonObject.word(name: String): T where T : Enum<T>, T : Word =
    asWord(text(name))

internal inline fun <reified T> JsonObject.maybeWord(name: String): T? where T : Enum<T>, T : Word =
    textOrNull(name)?.let { asWord<T>(it) }

internal inline fun <reified T> asWord(word: String): T where T : Enum<T>, T : Word =
    wordOrNull<T>(word) ?: throw Mismatch("this app does not know the word $word")

internal fun JsonObject.part(name: String): JsonObject = this[name] as JsonObject

internal fun JsonObject.partOrNull(name: String): JsonObject? = known(name) as JsonObject?

internal fun JsonObject.list(name: String): List<Json> = (this[name] as JsonList).values

internal inline fun <T> JsonObject.parts(name: String, read: (JsonObject) -> T): List<T> =
    list(name).map { read(it as JsonObject) }

internal fun JsonObject.numbers(name: String): Map<String, Double> =
    part(name).fields.mapValues { (_, value) -> value.asNumber() }

internal fun JsonObject.texts(name: String): Map<String, String> =
    part(name).fields.mapValues { (_, value) -> (value as JsonText).value }

internal fun JsonObject.wholes(name: String): LongArray {
    val values = list(name)
    return LongArray(values.size) { (values[it] as JsonInt).value }
}

internal fun Json.asNumber(): Double =
    if (this is JsonInt) value.toDouble() else (this as JsonDouble).value

/** Collects the fields of an object to write. What is null, empty or not finite is left out. */
internal class FieldsToWrite {
    private val fields = LinkedHashMap<String, Json>()

    fun add(name: String, value: Json?) {
        if (value == null || value is JsonList && value.values.isEmpty()) return
        if (value is JsonObject && value.fields.isEmpty()) return
        fields[name] = value
    }

    fun add(name: String, value: String?) = add(name, value?.let { JsonText(it) })

    fun add(name: String, value: Word?) = add(name, value?.word)

    fun add(name: String, value: Int?) = add(name, value?.toLong())

    fun add(name: String, value: Long?) = add(name, value?.let { JsonInt(it) })

    fun add(name: String, value: Double?) = add(name, value?.let(::jsonOrNull))

    fun add(name: String, value: Boolean?) = add(name, value?.let { JsonBool(it) })

    fun add(name: String, values: Map<String, Double>?) {
        val finite = values?.mapValues { (_, value) -> jsonOrNull(value) }.orEmpty()
        add(name, JsonObject(finite.filterValues { it != null }.mapValues { it.value as Json }))
    }

    fun <T> add(name: String, values: Iterable<T>, write: (T) -> Json) =
        add(name, JsonList(values.map(write)))

    /** Add a field that its schema asks for, null or empty as it may be. */
    fun addAlways(name: String, value: Json?) {
        fields[name] = value ?: JsonNull
    }

    fun done() = JsonObject(fields)
}

internal inline fun fieldsOf(add: FieldsToWrite.() -> Unit): JsonObject =
    FieldsToWrite().apply(add).done()

internal fun jsonOrNull(value: Double): Json? =
    if (value.isNaN() || value.isInfinite()) null else JsonDouble(value)
