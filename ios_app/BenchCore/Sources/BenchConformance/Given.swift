import BenchCore

// Fields of a task. A vector is right by definition, so a missing or wrong field is a mistake here.

extension JsonObject {
    func wholeOr(_ name: String, _ other: Int) -> Int { wholeOrNil(name) ?? other }

    /// Return the values of a list; of one that is null or not there, none.
    func values(_ name: String) -> [Json] { known(name)?.asList ?? [] }

    func objects(_ name: String) -> [JsonObject] { values(name).map(\.asObject) }

    func numberList(_ name: String) -> [Double] { values(name).map(\.asNumber) }

    func wholeList(_ name: String) -> [Int] { values(name).map(\.asInt) }

    /// Read spans of equal values as the column that they stand for.
    func column(_ name: String) -> [Int] {
        objects(name).flatMap { repeatElement($0.whole("value"), count: $0.whole("count")) }
    }
}

/// Return an object of these fields.
func fields(_ fields: (String, Json)...) -> Json { .object(JsonObject(fields)) }
