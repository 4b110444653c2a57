/// The largest whole number of a document: many readers take every number for a double.
public let largestWhole = (1 << 53) - 1

private let mostDigits = 16
private let mostLevels = 200

/// Read JSON in UTF-8; `what` names the document in the refusal.
///
/// Of a field that is there twice, the last one counts. Throws `DocumentRefused` for bytes that are
/// not UTF-8, for NaN, text after the end and nesting without end, which is all not JSON, and for
/// whole numbers from 2^53 on, other numbers that no double holds, and halves of surrogate pairs.
public func readJson(_ bytes: [UInt8], _ what: String = "the document") throws -> Json {
    guard String(decoding: bytes, as: UTF8.self).utf8.elementsEqual(bytes) else {
        throw DocumentRefused("\(what) is not JSON: its bytes are not UTF-8.", isNotJson: true)
    }
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let start = bytes.starts(with: mark) ? mark.count : 0
    return try bytes.withUnsafeBufferPointer { content in
        var reader = JsonReader(content: content, place: start, what: what)
        return try reader.readAll()
    }
}

/// Read JSON from a text. Throws `DocumentRefused` as for bytes.
public func readJson(_ text: String, _ what: String = "the document") throws -> Json {
    try readJson(Array(text.utf8), what)
}

private struct JsonReader {
    let content: UnsafeBufferPointer<UInt8>
    var place: Int
    let what: String

    mutating func readAll() throws -> Json {
        skipSpace()
        let value = try value(level: 0)
        skipSpace()
        guard place == content.count else { throw notJson() }
        return value
    }

    private var next: UInt8? { place < content.count ? content[place] : nil }

    private mutating func skipSpace() {
        while place < content.count, isSpace(content[place]) { place += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        place += 1
        return true
    }

    private mutating func value(level: Int) throws -> Json {
        switch next {
        case UInt8(ascii: "{"): .object(try fields(level: try deeper(level)))
        case UInt8(ascii: "["): .list(try values(level: try deeper(level)))
        case UInt8(ascii: "\""): .text(try text())
        case UInt8(ascii: "t"): try word("true", .bool(true))
        case UInt8(ascii: "f"): try word("false", .bool(false))
        case UInt8(ascii: "n"): try word("null", .null)
        default: try number()
        }
    }

    private func deeper(_ level: Int) throws -> Int {
        if level < mostLevels { return level + 1 }
        throw DocumentRefused(
            "\(what) is not JSON: it is nested more than \(mostLevels) levels deep.",
            isNotJson: true
        )
    }

    private mutating func word(_ word: StaticString, _ value: Json) throws -> Json {
        for index in 0..<word.utf8CodeUnitCount where !take(word.utf8Start[index]) {
            throw notJson()
        }
        return value
    }

    private mutating func fields(level: Int) throws -> JsonObject {
        place += 1
        var fields = JsonObject()
        skipSpace()
        if take(UInt8(ascii: "}")) { return fields }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw notJson() }
            let name = try text()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw notJson() }
            skipSpace()
            fields[name] = try value(level: level)
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw notJson() }
        return fields
    }

    private mutating func values(level: Int) throws -> [Json] {
        place += 1
        var values: [Json] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return values }
        repeat {
            skipSpace()
            values.append(try value(level: level))
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw notJson() }
        return values
    }

    // MARK: Numbers

    private mutating func number() throws -> Json {
        let start = place
        let isNegative = take(UInt8(ascii: "-"))
        let first = place
        if !take(UInt8(ascii: "0")) { try digits() }
        let whole = first..<place
        var isWhole = true
        if take(UInt8(ascii: ".")) {
            isWhole = false
            try digits()
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isWhole = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        let written = String(decoding: content[start..<place], as: UTF8.self)
        return isWhole ? try wholeNumber(whole, isNegative, written) : try double(written)
    }

    private mutating func digits() throws {
        let start = place
        while let next, isDigit(next) { place += 1 }
        if place == start { throw notJson() }
    }

    private func wholeNumber(
        _ digits: Range<Int>, _ isNegative: Bool, _ written: @autoclosure () -> String
    ) throws -> Json {
        var size = 0
        if digits.count <= mostDigits {
            for index in digits { size = size * 10 + Int(content[index] - UInt8(ascii: "0")) }
            if size <= largestWhole { return .int(isNegative ? -size : size) }
        }
        throw DocumentRefused(
            "\(what) holds \(shortened(written())), and a whole number has to be smaller than 2^53."
        )
    }

    private func double(_ written: String) throws -> Json {
        if let value = Double(written), value.isFinite { return .double(value) }
        throw DocumentRefused("\(what) holds \(shortened(written)), which is not a finite number.")
    }

    // MARK: Texts

    private mutating func text() throws -> String {
        place += 1
        let start = place
        while let next, next != UInt8(ascii: "\""), next != UInt8(ascii: "\\"), next >= 0x20 {
            place += 1
        }
        if next == UInt8(ascii: "\"") {
            place += 1
            return String(decoding: content[start..<place - 1], as: UTF8.self)
        }
        return try escapedText(Array(content[start..<place]))
    }

    /// Read on from the first escape, behind the bytes so far.
    private mutating func escapedText(_ begun: [UInt8]) throws -> String {
        var bytes = begun
        var hasHalf = false
        while true {
            guard let byte = next, byte >= 0x20 else { throw notJson() }
            place += 1
            if byte == UInt8(ascii: "\"") { break }
            if byte != UInt8(ascii: "\\") {
                bytes.append(byte)
            } else if let scalar = try escape() {
                bytes.append(contentsOf: UTF8.encode(scalar)!)
            } else {
                hasHalf = true
            }
        }
        if !hasHalf { return String(decoding: bytes, as: UTF8.self) }
        throw DocumentRefused("\(what) holds half of a pair of surrogates, which is not text.")
    }

    /// Return what an escape stands for; nil for half of a pair of surrogates.
    private mutating func escape() throws -> Unicode.Scalar? {
        guard let kind = next else { throw notJson() }
        place += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(kind)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicode()
        default:
            place -= 1
            throw notJson()
        }
    }

    private mutating func unicode() throws -> Unicode.Scalar? {
        let unit = try fourDigits()
        guard UTF16.isLeadSurrogate(unit) else { return Unicode.Scalar(unit) }
        let after = place
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            place = after
            return nil
        }
        let second = try fourDigits()
        guard UTF16.isTrailSurrogate(second) else {
            place = after
            return nil
        }
        return UTF16.decode(UTF16.EncodedScalar([unit, second]))
    }

    private mutating func fourDigits() throws -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = next.flatMap(hexadecimalDigit) else { throw notJson() }
            unit = unit << 4 | UInt16(digit)
            place += 1
        }
        return unit
    }

    private func notJson() -> DocumentRefused {
        let before = content[..<min(place, content.count)]
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let begin = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let column = String(decoding: before[begin...], as: UTF8.self).unicodeScalars.count + 1
        return DocumentRefused(
            "\(what) is not JSON from line \(line), column \(column) on; it may have been cut off.",
            isNotJson: true
        )
    }
}

private func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
}

private func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
}
