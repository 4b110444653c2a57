package mobilebench.core.json

/** Where a document differs from its schema: the fields that lead there, and a clause. */
class Mismatch(private val clause: String, private val place: List<String> = emptyList()) :
    Exception(clause) {
    /** Return the same mismatch, seen from the object or the list around it. */
    fun inside(part: String): Mismatch = Mismatch(clause, listOf(part) + place)

    /** The place and the clause: `at limits.time_ns: 0 is not ...`. */
    val described: String
        get() = if (place.isEmpty()) clause else "at ${place.joinToString(".")}: $clause"
}

/** What a schema cannot say of an object, by the name that its schema has. */
interface Rules {
    /** Return the fields to read: those of this version. Throws [Mismatch] for another version. */
    fun inThisVersion(name: String, fields: JsonObject): JsonObject

    /** Check an object that fits its schema and has its defaults. Throws [Mismatch]. */
    fun check(name: String, read: JsonObject)
}

/**
 * Reads documents by a JSON Schema, of which it knows the part that mobilebench writes.
 *
 * Throws [IllegalArgumentException] for a schema with a keyword that it does not know.
 */
class Schema(private val root: JsonObject, private val rules: Rules) {
    private val named = (root["\$defs"] as JsonObject?)?.fields.orEmpty()
    private val title = (root["title"] as JsonText).value

    init {
        requireKnown(root)
        for (schema in named.values) requireKnown(schema as JsonObject)
    }

    /** Return the document with the defaults of its schema. Throws [Mismatch]. */
    fun read(document: Json): JsonObject = readNamed(title, root, document) as JsonObject

    private fun readNamed(name: String, schema: JsonObject, value: Json): Json {
        if (value !is JsonObject) return readPlain(schema, value)
        val read = readPlain(schema, rules.inThisVersion(name, value)) as JsonObject
        rules.check(name, read)
        return read
    }

    private fun readPlain(schema: JsonObject, value: Json): Json {
        schema["\$ref"]?.let { return readReferred(it.asText(), value) }
        schema["anyOf"]?.let { return readNullable(it as JsonList, value) }
        schema["oneOf"]?.let { return readChosen(schema["discriminator"] as JsonObject, value) }
        val type = schema["type"]?.asText()
        if (type != null) requireType(type, value)
        requireListed(schema, value)
        return when (value) {
            is JsonObject -> readFields(schema, value)
            is JsonList -> readValues(schema, value)
            else -> value
        }
    }

    private fun readReferred(reference: String, value: Json): Json {
        val name = reference.substringAfterLast('/')
        return readNamed(name, named.getValue(name) as JsonObject, value)
    }

    private fun readNullable(options: JsonList, value: Json): Json {
        if (value is JsonNull) return value
        return readPlain(options.values.first() as JsonObject, value)
    }

    private fun readChosen(discriminator: JsonObject, value: Json): Json {
        val field = (discriminator["propertyName"] as JsonText).value
        val fields = value as? JsonObject ?: throw Mismatch("${value.shown()} is not an object")
        val kind = fields[field] ?: throw Mismatch("$field is missing")
        val mapping = (discriminator["mapping"] as JsonObject).fields
        val reference = mapping[(kind as? JsonText)?.value] as JsonText?
            ?: throw Mismatch("${kind.shown()} is not ${words(mapping.keys)}").inside(field)
        return readReferred(reference.value, value)
    }

    private fun readFields(schema: JsonObject, value: JsonObject): JsonObject {
        val known = (schema["properties"] as JsonObject?)?.fields.orEmpty()
        val read = LinkedHashMap<String, Json>()
        for ((name, field) in value.fields) {
            read[name] = readField(known[name], schema["additionalProperties"], name, field)
        }
        for (name in (schema["required"] as JsonList?)?.values.orEmpty()) {
            if (name.asText() !in read) throw Mismatch("${name.asText()} is missing")
        }
        for ((name, field) in known) {
            if (name !in read) default(field as JsonObject)?.let { read[name] = it }
        }
        return JsonObject(read)
    }

    private fun readField(known: Json?, others: Json?, name: String, field: Json): Json {
        val schema = known ?: others
        if (schema !is JsonObject) {
            val named = shortened(name)
            throw Mismatch("nothing is known of the field $named, which is ${field.shown()}")
        }
        return inside(name) { readPlain(schema, field) }
    }

    /** Return what stands for a field that is left out; an object has the defaults inside it. */
    private fun default(schema: JsonObject): Json? {
        schema["default"]?.let { return it }
        val reference = schema["\$ref"]?.asText()?.substringAfterLast('/')
        val target = if (reference == null) schema else named.getValue(reference) as JsonObject
        if (target["type"]?.asText() != "object") return null
        return readPlain(schema, JsonObject(emptyMap()))
    }

    private fun readValues(schema: JsonObject, value: JsonList): JsonList {
        val each = schema["items"] as JsonObject?
        val first = (schema["prefixItems"] as JsonList?)?.values
        requireCount(schema, value)
        return JsonList(value.values.mapIndexed { index, part ->
            val of = first?.getOrNull(index) as JsonObject? ?: each
            if (of == null) part else inside(index) { readPlain(of, part) }
        })
    }
}

private val KNOWN = setOf(
    "\$defs", "\$ref", "\$schema", "additionalProperties", "anyOf", "const", "default",
    "description", "discriminator", "enum", "items", "maxItems", "minItems", "minimum", "oneOf",
    "prefixItems", "properties", "required", "title", "type",
)

private inline fun <T> inside(part: Any, read: () -> T): T = try {
    read()
} catch (error: Mismatch) {
    throw error.inside(part.toString())
}

private fun Json.asText(): String = (this as JsonText).value

private fun requireType(type: String, value: Json) {
    val (fits, noun) = when (type) {
        "object" -> Pair(value is JsonObject, "an object")
        "array" -> Pair(value is JsonList, "a list")
        "string" -> Pair(value is JsonText, "a text")
        "integer" -> Pair(value is JsonInt, "a whole number")
        "number" -> Pair(value is JsonInt || value is JsonDouble, "a number")
        "boolean" -> Pair(value is JsonBool, "true or false")
        else -> Pair(value is JsonNull, "null")
    }
    if (!fits) throw Mismatch("${value.shown()} is not $noun")
}

private fun requireListed(schema: JsonObject, value: Json) {
    val listed = schema["enum"] as JsonList? ?: schema["const"]?.let { JsonList(listOf(it)) }
    if (listed != null && value !in listed.values) {
        throw Mismatch("${value.shown()} is not ${words(listed.values.map { it.asText() })}")
    }
    val least = (schema["minimum"] as JsonInt?)?.value
    if (least != null && value is JsonInt && value.value < least) {
        throw Mismatch("${value.value} is less than $least")
    }
}

private fun requireCount(schema: JsonObject, value: JsonList) {
    val least = (schema["minItems"] as JsonInt?)?.value ?: 0
    val most = (schema["maxItems"] as JsonInt?)?.value ?: Long.MAX_VALUE
    if (value.values.size !in least..most) {
        throw Mismatch("a list of ${value.values.size} is not one of $least to $most entries")
    }
}

private fun words(known: Collection<String>): String = known.joinToString(" or ")

private fun requireKnown(schema: JsonObject) {
    val unknown = schema.fields.keys - KNOWN
    require(unknown.isEmpty()) { "the schema has the keywords $unknown, which are not known here" }
    (schema["anyOf"] as JsonList?)?.let { options ->
        val (_, other) = options.values.map { it as JsonObject }.also { require(it.size == 2) }
        require(other["type"] == JsonText("null")) { "the second option is not null" }
    }
    val lists = listOf("anyOf", "oneOf", "prefixItems").mapNotNull { schema[it] as JsonList? }
    val inner = (schema["properties"] as JsonObject?)?.fields?.values.orEmpty() +
        lists.flatMap { it.values } +
        listOfNotNull(schema["items"], schema["additionalProperties"] as? JsonObject)
    for (part in inner) requireKnown(part as JsonObject)
}
