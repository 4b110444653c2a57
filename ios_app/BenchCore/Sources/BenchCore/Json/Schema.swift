/// Where a document differs from its schema: the fields that lead there, and a clause.
package struct Mismatch: Error {
    let clause: String
    var place: [String] = []

    package init(_ clause: String) {
        self.clause = clause
    }

    /// Return the same mismatch, seen from the object or the list around it.
    func inside(_ part: String) -> Mismatch {
        var outer = self
        outer.place.insert(part, at: 0)
        return outer
    }

    /// The place and the clause: `at limits.time_ns: 0 is not ...`.
    var described: String {
        place.isEmpty ? clause : "at \(place.joined(separator: ".")): \(clause)"
    }
}

/// What a schema cannot say of an object, by the name that its schema has.
protocol Rules: Sendable {
    /// Return the fields to read: those of this version. Throws `Mismatch` for another version.
    func inThisVersion(_ name: String, _ fields: JsonObject) throws -> JsonObject

    /// Check an object that fits its schema and has its defaults. Throws `Mismatch`.
    func check(_ name: String, _ read: JsonObject) throws
}

/// Reads documents by a JSON Schema, of which it knows the part that mobilebench writes.
struct Schema: Sendable {
    private let title: String
    private let root: Shape
    private let named: [String: Shape]
    private let rules: any Rules

    /// The schema may have no keyword that is not known here.
    init(_ root: JsonObject, _ rules: any Rules) {
        title = root.text("title")
        self.root = Shape(root)
        named = Dictionary(
            uniqueKeysWithValues: (root["$defs"]?.asObject ?? JsonObject()).fields.map {
                ($0, Shape($1.asObject))
            }
        )
        self.rules = rules
    }

    /// Return the document with the defaults of its schema. Throws `Mismatch`.
    func read(_ document: Json) throws -> JsonObject {
        try readNamed(title, root, document).asObject
    }

    private func readNamed(_ name: String, _ shape: Shape, _ value: Json) throws -> Json {
        guard case .object(let given) = value else { return try read(shape, value) }
        let read = try read(shape, .object(rules.inThisVersion(name, given)))
        try rules.check(name, read.asObject)
        return read
    }

    private func read(_ shape: Shape, _ value: Json) throws -> Json {
        switch shape.form {
        case .named(let name):
            return try readNamed(name, named[name]!, value)
        case .nullable(let shape):
            return value == .null ? value : try read(shape, value)
        case .chosen(let field, let mapping):
            return try readChosen(field, mapping, value)
        case .plain(let plain):
            try plain.requireType(value)
            try plain.requireListed(value)
            switch value {
            case .object(let fields): return .object(try readFields(plain, fields))
            case .list(let values): return .list(try readValues(plain, values))
            default: return value
            }
        }
    }

    private func readChosen(
        _ field: String, _ mapping: [(word: String, name: String)], _ value: Json
    ) throws -> Json {
        guard case .object(let fields) = value else {
            throw Mismatch("\(value.shown) is not an object")
        }
        guard let kind = fields[field] else { throw Mismatch("\(field) is missing") }
        guard let name = mapping.first(where: { kind == .text($0.word) })?.name else {
            throw Mismatch("\(kind.shown) is not \(words(mapping.map(\.word)))").inside(field)
        }
        return try readNamed(name, named[name]!, value)
    }

    private func readFields(_ plain: Plain, _ value: JsonObject) throws -> JsonObject {
        var read = JsonObject()
        for (name, field) in value.fields {
            read[name] = try readField(plain.property(name) ?? plain.others, name, field)
        }
        for name in plain.required where read[name] == nil {
            throw Mismatch("\(name) is missing")
        }
        for (name, shape) in plain.properties where read[name] == nil {
            if let value = try standIn(shape) { read[name] = value }
        }
        return read
    }

    private func readField(_ shape: Shape?, _ name: String, _ field: Json) throws -> Json {
        guard let shape else {
            throw Mismatch(
                "nothing is known of the field \(shortened(name)), which is \(field.shown)"
            )
        }
        do {
            return try read(shape, field)
        } catch let error as Mismatch {
            throw error.inside(name)
        }
    }

    /// Return what stands for a field that is left out; an object has the defaults inside it.
    private func standIn(_ shape: Shape) throws -> Json? {
        if let value = shape.standIn { return value }
        var target = shape
        if case .named(let name) = shape.form { target = named[name]! }
        guard case .plain(let plain) = target.form, plain.type == .object else { return nil }
        return try read(shape, .object(JsonObject()))
    }

    private func readValues(_ plain: Plain, _ values: [Json]) throws -> [Json] {
        try plain.requireCount(values.count)
        var read: [Json] = []
        read.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            let shape = index < plain.first.count ? plain.first[index] : plain.each
            do {
                read.append(try shape.map { try self.read($0, value) } ?? value)
            } catch let error as Mismatch {
                throw error.inside("\(index)")
            }
        }
        return read
    }
}

/// One schema inside another, taken apart once.
private final class Shape: Sendable {
    enum Form {
        case named(String)
        case nullable(Shape)
        case chosen(field: String, mapping: [(word: String, name: String)])
        case plain(Plain)
    }

    let form: Form
    /// What stands for a field that is left out.
    let standIn: Json?

    init(_ schema: JsonObject) {
        let unknown = Set(schema.names).subtracting(known)
        precondition(unknown.isEmpty, "the schema has the keywords \(unknown), not known here")
        standIn = schema["default"]
        if let reference = schema["$ref"] {
            form = .named(lastPart(reference.asText))
        } else if let options = schema["anyOf"]?.asList {
            precondition(options.count == 2 && options[1].asObject["type"] == .text("null"))
            form = .nullable(Shape(options[0].asObject))
        } else if schema["oneOf"] != nil {
            let discriminator = schema.part("discriminator")
            form = .chosen(
                field: discriminator.text("propertyName"),
                mapping: discriminator.part("mapping").fields.map { ($0, lastPart($1.asText)) }
            )
        } else {
            form = .plain(Plain(schema))
        }
    }
}

/// A schema of one type.
private struct Plain: Sendable {
    enum Kind: String {
        case object, array, string, integer, number, boolean, null

        var noun: String {
            switch self {
            case .object: "an object"
            case .array: "a list"
            case .string: "a text"
            case .integer: "a whole number"
            case .number: "a number"
            case .boolean: "true or false"
            case .null: "null"
            }
        }

        func fits(_ value: Json) -> Bool {
            switch (self, value) {
            case (.object, .object), (.array, .list), (.string, .text), (.integer, .int),
                (.number, .int), (.number, .double), (.boolean, .bool), (.null, .null):
                true
            default: false
            }
        }
    }

    let type: Kind?
    let properties: [(name: String, shape: Shape)]
    private let byName: [String: Shape]
    let required: [String]
    /// Of fields without a name here; nil where there may be none.
    let others: Shape?
    let first: [Shape]
    let each: Shape?
    private let listed: [Json]?
    private let least: Int?
    private let counts: ClosedRange<Int>

    init(_ schema: JsonObject) {
        type = schema["type"].map { Kind(rawValue: $0.asText)! }
        properties = (schema["properties"]?.asObject ?? JsonObject()).fields.map {
            ($0, Shape($1.asObject))
        }
        byName = Dictionary(uniqueKeysWithValues: properties.map { ($0.name, $0.shape) })
        required = (schema["required"]?.asList ?? []).map(\.asText)
        if case .object(let others) = schema["additionalProperties"] {
            self.others = Shape(others)
        } else {
            others = nil
        }
        first = (schema["prefixItems"]?.asList ?? []).map { Shape($0.asObject) }
        each = schema["items"].map { Shape($0.asObject) }
        listed = schema["enum"]?.asList ?? schema["const"].map { [$0] }
        least = schema["minimum"]?.asInt
        counts = (schema["minItems"]?.asInt ?? 0)...(schema["maxItems"]?.asInt ?? .max)
    }

    func property(_ name: String) -> Shape? { byName[name] }

    func requireType(_ value: Json) throws {
        if let type, !type.fits(value) { throw Mismatch("\(value.shown) is not \(type.noun)") }
    }

    func requireListed(_ value: Json) throws {
        if let listed, !listed.contains(value) {
            throw Mismatch("\(value.shown) is not \(words(listed.map(\.asText)))")
        }
        if let least, case .int(let whole) = value, whole < least {
            throw Mismatch("\(whole) is less than \(least)")
        }
    }

    func requireCount(_ count: Int) throws {
        if counts.contains(count) { return }
        throw Mismatch(
            "a list of \(count) is not one of \(counts.lowerBound) to \(counts.upperBound) entries"
        )
    }
}

private let known: Set = [
    "$defs", "$ref", "$schema", "additionalProperties", "anyOf", "const", "default",
    "description", "discriminator", "enum", "items", "maxItems", "minItems", "minimum", "oneOf",
    "prefixItems", "properties", "required", "title", "type",
]

private func words(_ known: [String]) -> String { known.joined(separator: " or ") }

private func lastPart(_ reference: String) -> String {
    String(reference.split(separator: "/").last!)
}
