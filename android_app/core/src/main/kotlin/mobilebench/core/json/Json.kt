package mobilebench.core.json

/** A JSON value. Whole numbers and others are told apart as they were written. */
sealed class Json

object JsonNull : Json()

data class JsonBool(val value: Boolean) : Json()

/** A number that was written without a point and an exponent. */
data class JsonInt(val value: Long) : Json()

data class JsonDouble(val value: Double) : Json()

data class JsonText(val value: String) : Json()

data class JsonList(val values: List<Json>) : Json()

/** Fields in the order in which they were written. */
data class JsonObject(val fields: Map<String, Json>) : Json() {
    operator fun get(name: String): Json? = fields[name]
}
