// Fields of an object that fits its schema and has its defaults: of each, the type is known.

extension Json {
    package var asObject: JsonObject {
        guard case .object(let value) = self else { preconditionFailure("\(shown) is no object") }
        return value
    }

    package var asList: [Json] {
        guard case .list(let value) = self else { preconditionFailure("\(shown) is no list") }
        return value
    }

    package var asText: String {
        guard case .text(let value) = self else { preconditionFailure("\(shown) is no text") }
        return value
    }

    package var asInt: Int {
        guard case .int(let value) = self else { preconditionFailure("\(shown) is not whole") }
        return value
    }

    package var asNumber: Double {
        if case .int(let value) = self { return Double(value) }
        guard case .double(let value) = self else { preconditionFailure("\(shown) is no number") }
        return value
    }

    package var asBool: Bool {
        guard case .bool(let value) = self else { preconditionFailure("\(shown) is no flag") }
        return value
    }
}

extension JsonObject {
    /// Return a field that is there and not null.
    package func known(_ name: String) -> Json? {
        self[name].flatMap { $0 == .null ? nil : $0 }
    }

    private func field(_ name: String) -> Json {
        guard let value = self[name] else { preconditionFailure("there is no field \(name)") }
        return value
    }

    package func text(_ name: String) -> String { field(name).asText }

    package func textOrNil(_ name: String) -> String? { known(name)?.asText }

    package func whole(_ name: String) -> Int { field(name).asInt }

    package func wholeOrNil(_ name: String) -> Int? { known(name)?.asInt }

    package func number(_ name: String) -> Double { field(name).asNumber }

    package func numberOrNil(_ name: String) -> Double? { known(name)?.asNumber }

    package func flag(_ name: String) -> Bool { field(name).asBool }

    package func flagOrNil(_ name: String) -> Bool? { known(name)?.asBool }

    package func part(_ name: String) -> JsonObject { field(name).asObject }

    package func partOrNil(_ name: String) -> JsonObject? { known(name)?.asObject }

    package func list(_ name: String) -> [Json] { field(name).asList }

    package func wholes(_ name: String) -> [Int] { list(name).map(\.asInt) }

    package func texts(_ name: String) -> [String] { list(name).map(\.asText) }

    package func textsByName(_ name: String) -> [String: String] {
        Dictionary(part(name).fields.map { ($0, $1.asText) }, uniquingKeysWith: { $1 })
    }

    package func numbers(_ name: String) -> [String: Double] {
        Dictionary(part(name).fields.map { ($0, $1.asNumber) }, uniquingKeysWith: { $1 })
    }

    func parts<Part>(_ name: String, _ read: (JsonObject) throws -> Part) rethrows -> [Part] {
        try list(name).map { try read($0.asObject) }
    }

    func word<Choice: Word>(_ name: String) throws -> Choice { try asWord(text(name)) }

    func wordOrNil<Choice: Word>(_ name: String) throws -> Choice? {
        try textOrNil(name).map { try asWord($0) }
    }
}

func asWord<Choice: Word>(_ word: String) throws -> Choice {
    guard let choice = Choice(rawValue: word) else {
        throw Mismatch("this app does not know the word \(word)")
    }
    return choice
}

/// Throw a `Mismatch` with that clause where a condition does not hold.
func need(_ condition: Bool, _ clause: @autoclosure () -> String) throws {
    if !condition { throw Mismatch(clause()) }
}

// Fields to write. What is nil, empty or not finite is left out.

extension JsonObject {
    mutating func add(_ name: String, _ value: Json?) {
        switch value {
        case nil: return
        case .list(let values) where values.isEmpty: return
        case .object(let fields) where fields.isEmpty: return
        default: self[name] = value
        }
    }

    mutating func add(_ name: String, _ value: JsonObject?) { add(name, value.map(Json.object)) }

    mutating func add(_ name: String, _ value: String?) { add(name, value.map(Json.text)) }

    mutating func add(_ name: String, _ value: (some Word)?) { add(name, value?.word) }

    mutating func add(_ name: String, _ value: Int?) { add(name, value.map(Json.int)) }

    mutating func add(_ name: String, _ value: Double?) { add(name, value.flatMap(finite)) }

    mutating func add(_ name: String, _ value: Bool?) { add(name, value.map(Json.bool)) }

    /// Add numbers by their names, in the order of the names.
    mutating func add(_ name: String, _ values: [String: Double]?) {
        var numbers = JsonObject()
        for (key, value) in (values ?? [:]).sorted(by: { $0.key < $1.key }) {
            numbers.add(key, value)
        }
        add(name, numbers)
    }

    mutating func add<Values: Sequence>(
        _ name: String, _ values: Values, _ write: (Values.Element) -> Json
    ) {
        add(name, .list(values.map(write)))
    }

    /// Add a field that its schema asks for, null or empty as it may be.
    mutating func addAlways(_ name: String, _ value: Json?) { self[name] = value ?? .null }
}

func finite(_ value: Double) -> Json? { value.isFinite ? .double(value) : nil }
