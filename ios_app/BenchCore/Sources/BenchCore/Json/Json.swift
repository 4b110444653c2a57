/// A JSON value. Whole numbers and others are told apart as they were written.
public enum Json: Equatable, Sendable {
    case null
    case bool(Bool)
    /// A number that was written without a point and an exponent.
    case int(Int)
    case double(Double)
    case text(String)
    case list([Json])
    case object(JsonObject)
}

/// Fields in the order in which they were written.
///
/// Names are equal where their bytes are, other than Swift's texts, for which two ways to write an
/// accent are the same.
public struct JsonObject: Sendable {
    public private(set) var names: [String] = []
    public private(set) var values: [Json] = []
    /// Where each name is; empty while there are few, which are found faster without.
    private var places: [ExactText: Int] = [:]

    private static let few = 16

    public init() {}

    /// Of a name that is there twice, the last value counts.
    public init(_ fields: [(String, Json)]) {
        for (name, value) in fields { self[name] = value }
    }

    public var isEmpty: Bool { names.isEmpty }

    public var count: Int { names.count }

    /// Each name with its value, in order.
    public var fields: Zip2Sequence<[String], [Json]> { zip(names, values) }

    public subscript(name: String) -> Json? {
        get { place(of: name).map { values[$0] } }
        set {
            if let place = place(of: name) {
                if let newValue { values[place] = newValue } else { remove(at: place) }
            } else if let newValue {
                append(name, newValue)
            }
        }
    }

    private mutating func append(_ name: String, _ value: Json) {
        names.append(name)
        values.append(value)
        if names.count > Self.few, places.isEmpty { index() } else if names.count > Self.few {
            places[ExactText(name)] = names.count - 1
        }
    }

    private mutating func remove(at place: Int) {
        names.remove(at: place)
        values.remove(at: place)
        places = [:]
        if names.count > Self.few { index() }
    }

    private mutating func index() {
        for (place, name) in names.enumerated() { places[ExactText(name)] = place }
    }

    private func place(of name: String) -> Int? {
        if names.count > Self.few { return places[ExactText(name)] }
        return names.firstIndex { $0 == name && ExactText($0) == ExactText(name) }
    }
}

extension JsonObject: Equatable {
    /// The order of fields does not count.
    public static func == (one: Self, other: Self) -> Bool {
        one.count == other.count && one.fields.allSatisfy { other[$0] == $1 }
    }
}

/// A text that is equal to another one where their bytes are.
package struct ExactText: Hashable, Sendable {
    package let text: String

    package init(_ text: String) {
        self.text = text
    }

    package static func == (one: Self, other: Self) -> Bool {
        one.text.utf8.elementsEqual(other.text.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
