package mobilebench.core.documents

import mobilebench.core.json.Json
import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText

/**
 * The definitions of the protocols, made from those of Python when the app is built.
 *
 * A job holds its whole protocol, so measuring needs none of them; they are for screens.
 */
object Protocols {
    private val file: JsonObject by lazy { resource(FILE) as JsonObject }
    private val paced: JsonObject by lazy { file.part("paced") }
    private val mostFps: Long by lazy { file.whole("most_fps") }

    /** The ids, with `NN` for the frame rates of half an hour. */
    val ids: List<String>
        get() = definitions.map { it.text("id") } + paced.text("id").replace(RATE, "NN")

    private val definitions: List<JsonObject>
        get() = file.list("protocols").map { it as JsonObject }

    /** Return the definition behind an id, or null where there is none. */
    fun definition(id: String): JsonObject? =
        definitions.firstOrNull { it.text("id") == id } ?: pacedFor(id)

    /** Return the protocol with an id, or null where there is none. */
    fun named(id: String): Protocol? = definition(id)?.let { protocolOf(it) }

    /** Return the protocol of half an hour at the frame rate that an id names. */
    private fun pacedFor(id: String): JsonObject? {
        val (before, after) = paced.text("id").split(RATE)
        val rate = id.removePrefix(before).removeSuffix(after)
        val fps = rate.toLongOrNull() ?: return null
        if (fps !in 1..mostFps || id != "$before$fps$after") return null
        val stated = paced.fields.mapValues { (_, value) -> stating(fps, value) }
        return JsonObject(stated + ("interval_ns" to JsonInt(SECOND_NS / fps)))
    }

    private fun stating(fps: Long, value: Json): Json =
        if (value is JsonText) JsonText(value.value.replace(RATE, "$fps")) else value

    private const val FILE = "mobilebench/schema/protocols.json"
    private const val RATE = "{fps}"
    private const val SECOND_NS = 1_000_000_000L
}
