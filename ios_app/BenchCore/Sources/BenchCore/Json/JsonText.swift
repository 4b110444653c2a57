private let width = 60

extension Json {
    /// Return the value as JSON without spaces, its fields in their order.
    public var text: String {
        var writer = Writer(isCanonical: false)
        writer.add(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Return the value in the canonical form of RFC 8785.
    ///
    /// Its whole numbers have to be smaller than 2^53, and its other numbers finite.
    public var canonical: String {
        var writer = Writer(isCanonical: true)
        writer.add(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Return a value as people see it in a message: JSON, and of a long one the beginning.
    public var shown: String { shortened(text) }
}

extension JsonObject {
    /// Return the fields as JSON without spaces, in their order.
    public var text: String { Json.object(self).text }

    /// Return the fields in the canonical form of RFC 8785; see the same of `Json`.
    public var canonical: String { Json.object(self).canonical }
}

package func shortened(_ text: String) -> String {
    let scalars = text.unicodeScalars
    return scalars.count <= width ? text : String(scalars.prefix(width)) + "..."
}

/// Return a text as it stands in a message: in quotes, and of a long one the beginning.
package func shown(_ text: String) -> String { Json.text(text).shown }

private struct Writer {
    let isCanonical: Bool
    var bytes: [UInt8] = []

    init(isCanonical: Bool) {
        self.isCanonical = isCanonical
    }

    mutating func add(_ value: Json) {
        switch value {
        case .null: add("null")
        case .bool(let value): add(value ? "true" : "false")
        case .int(let value): add(whole: value)
        case .double(let value): add(double: value)
        case .text(let value): add(text: value)
        case .list(let values): add(values: values)
        case .object(let fields): add(fields: fields)
        }
    }

    private mutating func add(_ ascii: String) {
        bytes.append(contentsOf: ascii.utf8)
    }

    private mutating func add(whole value: Int) {
        precondition(
            !isCanonical || value.magnitude <= UInt(largestWhole), "\(value) is 2^53 or more"
        )
        add("\(value)")
    }

    private mutating func add(double value: Double) {
        let digits = ecmaScript(value)
        add(digits)
        // A point keeps it a number that is not whole for a reader that tells them apart.
        if !isCanonical, !digits.utf8.contains(where: { $0 == point || $0 == exponent }) {
            add(".0")
        }
    }

    private mutating func add(values: [Json]) {
        bytes.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            add(value)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func add(fields: JsonObject) {
        bytes.append(UInt8(ascii: "{"))
        let order = isCanonical ? canonicalOrder(fields.names) : Array(fields.names.indices)
        for (index, place) in order.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            add(text: fields.names[place])
            bytes.append(UInt8(ascii: ":"))
            add(fields.values[place])
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// Return the places of names in the order of their UTF-16 units, which is not Swift's.
    private func canonicalOrder(_ names: [String]) -> [Int] {
        names.indices.sorted { names[$0].utf16.lexicographicallyPrecedes(names[$1].utf16) }
    }

    private mutating func add(text: String) {
        bytes.append(UInt8(ascii: "\""))
        for unit in text.utf8 { add(unit: unit) }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func add(unit: UInt8) {
        switch unit {
        case UInt8(ascii: "\""): add("\\\"")
        case UInt8(ascii: "\\"): add("\\\\")
        case 0x08: add("\\b")
        case 0x09: add("\\t")
        case 0x0A: add("\\n")
        case 0x0C: add("\\f")
        case 0x0D: add("\\r")
        case 0..<0x20: add("\\u00" + hexadecimal([unit]))
        default: bytes.append(unit)
        }
    }
}

private let point = UInt8(ascii: ".")
private let exponent = UInt8(ascii: "e")
