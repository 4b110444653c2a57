package mobilebench.core.json

import com.fasterxml.jackson.core.JsonFactory
import com.fasterxml.jackson.core.JsonParser
import com.fasterxml.jackson.core.JsonProcessingException
import com.fasterxml.jackson.core.JsonToken
import java.nio.ByteBuffer
import java.nio.charset.CharacterCodingException

/** The largest whole number of a document: many readers take every number for a double. */
const val LARGEST_WHOLE = (1L shl 53) - 1

private const val MOST_DIGITS = 16
private const val MOST_LEVELS = 200
private const val MARK = '\uFEFF'

private val factory: JsonFactory =
    JsonFactory.builder().disable(JsonFactory.Feature.INTERN_FIELD_NAMES).build()

/**
 * Read JSON in UTF-8; [what] names the document in the refusal.
 *
 * Throws [NotJson] for bytes that are not UTF-8, and otherwise as for a text.
 */
fun readJson(bytes: ByteArray, what: String = "the document"): Json {
    val decoder = Charsets.UTF_8.newDecoder()
    val text = try {
        decoder.decode(ByteBuffer.wrap(bytes)).toString()
    } catch (error: CharacterCodingException) {
        throw NotJson("$what is not JSON: its bytes are not UTF-8.", error)
    }
    return readJson(text.removePrefix(MARK.toString()), what)
}

/**
 * Read JSON from a text. Of a field that is there twice, the last one counts.
 *
 * Throws [NotJson] for NaN, text after the end and nesting without end, [DocumentRefused] for whole
 * numbers from 2^53 on, other numbers that no double holds, and halves of surrogate pairs.
 */
fun readJson(text: String, what: String = "the document"): Json =
    factory.createParser(text).use { parser ->
        try {
            val value = TreeReader(parser, what).read()
            if (parser.nextToken() != null) throw notJson(parser, what)
            value
        } catch (error: JsonProcessingException) {
            throw notJson(parser, what, error)
        }
    }

private fun notJson(parser: JsonParser, what: String, cause: Exception? = null): NotJson {
    val place = parser.currentLocation
    return NotJson(
        "$what is not JSON from line ${place.lineNr}, column ${place.columnNr} on; it may have " +
            "been cut off.",
        cause,
    )
}

private class TreeReader(private val parser: JsonParser, private val what: String) {
    fun read(): Json = value(parser.nextToken(), 0)

    private fun value(token: JsonToken?, level: Int): Json = when (token) {
        JsonToken.START_OBJECT -> fields(deeper(level))
        JsonToken.START_ARRAY -> values(deeper(level))
        JsonToken.VALUE_STRING -> JsonText(whole(parser.text))
        JsonToken.VALUE_NUMBER_INT -> wholeNumber(parser.text)
        JsonToken.VALUE_NUMBER_FLOAT -> number(parser.text)
        JsonToken.VALUE_TRUE -> JsonBool(true)
        JsonToken.VALUE_FALSE -> JsonBool(false)
        JsonToken.VALUE_NULL -> JsonNull
        else -> throw notJson(parser, what)
    }

    private fun deeper(level: Int): Int {
        if (level < MOST_LEVELS) return level + 1
        throw NotJson("$what is not JSON: it is nested more than $MOST_LEVELS levels deep.")
    }

    private fun fields(level: Int): JsonObject {
        val fields = LinkedHashMap<String, Json>()
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            val name = whole(parser.currentName)
            fields[name] = value(parser.nextToken(), level)
        }
        if (parser.currentToken() != JsonToken.END_OBJECT) throw notJson(parser, what)
        return JsonObject(fields)
    }

    private fun values(level: Int): JsonList {
        val values = ArrayList<Json>()
        var token = parser.nextToken()
        while (token != JsonToken.END_ARRAY) {
            values += value(token, level)
            token = parser.nextToken()
        }
        return JsonList(values)
    }

    private fun wholeNumber(digits: String): JsonInt {
        val size = digits.length - (if (digits[0] == '-') 1 else 0)
        val value = if (size > MOST_DIGITS) null else digits.toLong()
        if (value != null && value in -LARGEST_WHOLE..LARGEST_WHOLE) return JsonInt(value)
        throw DocumentRefused(
            "$what holds ${shortened(digits)}, and a whole number has to be smaller than 2^53."
        )
    }

    private fun number(digits: String): JsonDouble {
        val value = digits.toDouble()
        if (!value.isInfinite()) return JsonDouble(value)
        throw DocumentRefused("$what holds ${shortened(digits)}, which is not a finite number.")
    }

    private fun whole(text: String): String {
        if (!hasHalfPair(text)) return text
        throw DocumentRefused("$what holds half of a pair of surrogates, which is not text.")
    }
}

/** Tell whether a text holds one half of a surrogate pair without the other. */
internal fun hasHalfPair(text: String): Boolean {
    var index = 0
    while (index < text.length) {
        val unit = text[index++]
        if (!unit.isSurrogate()) continue
        val paired = unit.isHighSurrogate() && index < text.length && text[index].isLowSurrogate()
        if (!paired) return true
        index++
    }
    return false
}
