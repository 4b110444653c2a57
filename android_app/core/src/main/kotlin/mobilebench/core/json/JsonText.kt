package mobilebench.core.json

private const val WIDTH = 60

/** Return the value as JSON without spaces, its fields in their order. */
fun Json.text(): String =
    StringBuilder().also { Writer(it, canonical = false).add(this) }.toString()

/**
 * Return the value in the canonical form of RFC 8785.
 *
 * Throws [IllegalArgumentException] for what the form does not have: whole numbers from 2^53 on,
 * numbers that are not finite, and halves of surrogate pairs.
 */
fun Json.canonical(): String =
    StringBuilder().also { Writer(it, canonical = true).add(this) }.toString()

/** Return a value as people see it in a message: JSON, and of a long one the beginning. */
fun Json.shown(): String = shortened(text())

internal fun shortened(text: String): String =
    if (text.length <= WIDTH) text else "${text.take(WIDTH)}..."

private class Writer(private val out: StringBuilder, private val canonical: Boolean) {
    fun add(value: Json) {
        when (value) {
            is JsonNull -> out.append("null")
            is JsonBool -> out.append(value.value)
            is JsonInt -> addWhole(value.value)
            is JsonDouble -> addNumber(value.value)
            is JsonText -> addText(value.value)
            is JsonList -> addValues(value.values)
            is JsonObject -> addFields(value.fields)
        }
    }

    private fun addWhole(value: Long) {
        require(!canonical || value in -LARGEST_WHOLE..LARGEST_WHOLE) { "$value is 2^53 or more" }
        out.append(value)
    }

    private fun addNumber(value: Double) {
        val digits = ecmaScript(value)
        out.append(digits)
        // A point keeps it a number that is not whole for a reader that tells them apart.
        if (!canonical && digits.none { it == '.' || it == 'e' }) out.append(".0")
    }

    private fun addValues(values: List<Json>) {
        out.append('[')
        values.forEachIndexed { index, value ->
            if (index > 0) out.append(',')
            add(value)
        }
        out.append(']')
    }

    private fun addFields(fields: Map<String, Json>) {
        out.append('{')
        // The order of Java's texts is that of UTF-16 units, as the canonical form asks for.
        val names = if (canonical) fields.keys.sorted() else fields.keys
        names.forEachIndexed { index, name ->
            if (index > 0) out.append(',')
            addText(name)
            out.append(':')
            add(fields.getValue(name))
        }
        out.append('}')
    }

    private fun addText(text: String) {
        require(!hasHalfPair(text)) { "half of a pair of surrogates is not text" }
        out.append('"')
        for (unit in text) addUnit(unit)
        out.append('"')
    }

    private fun addUnit(unit: Char) {
        when (unit) {
            '"' -> out.append("\\\"")
            '\\' -> out.append("\\\\")
            '\b' -> out.append("\\b")
            '\t' -> out.append("\\t")
            '\n' -> out.append("\\n")
            '\u000C' -> out.append("\\f")
            '\r' -> out.append("\\r")
            in '\u0000'..'\u001F' -> {
                out.append("\\u00").append(unit.code.toString(16).padStart(2, '0'))
            }
            else -> out.append(unit)
        }
    }
}
