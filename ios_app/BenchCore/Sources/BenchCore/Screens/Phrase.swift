import Foundation

/// A text to show. The app finds the words of a key in its resources.
///
/// It is not named `Text`, which is the name of a view in SwiftUI.
public indirect enum Phrase: Hashable, Sendable {
    /// The words of a key; its places are filled in order.
    case keyed(TextKey, [Phrase])
    /// A text of others, such as a name or an error, as it is.
    case verbatim(String)
    /// Phrases one after the other, with a text between them.
    case joined([Phrase], between: String)

    public static func of(_ key: TextKey) -> Phrase { .keyed(key, []) }

    /// Return a key, and what fills its places in order.
    public static func of(_ key: TextKey, _ arguments: Phrase...) -> Phrase {
        .keyed(key, arguments)
    }

    public static func of(_ key: TextKey, _ arguments: String...) -> Phrase {
        .keyed(key, arguments.map { .verbatim($0) })
    }
}

/// Returns the words of keys.
public protocol Words: Sendable {
    /// Return the pattern of a key, with `%1$@` for its first place.
    func pattern(_ key: TextKey) -> String
}

extension Words {
    /// Return a phrase in the words of a language.
    public func say(_ phrase: Phrase) -> String {
        switch phrase {
        case .keyed(let key, let arguments): filled(pattern(key), arguments.map { say($0) })
        case .verbatim(let text): visible(text)
        case .joined(let phrases, let between): phrases.map { say($0) }.joined(separator: between)
        }
    }
}

/// Return a pattern with its places (`%1$@`, `%2$@`) filled; nothing else in it is special.
public func filled(_ pattern: String, _ arguments: [String]) -> String {
    var result = ""
    var rest = pattern[...]
    while let percent = rest.firstIndex(of: "%") {
        result += rest[..<percent]
        let place = rest[percent...].prefix(4)
        let letters = Array(place)
        if letters.count == 4, letters[2] == "$", letters[3] == "@",
            let number = letters[1].wholeNumberValue, arguments.indices.contains(number - 1)
        {
            result += arguments[number - 1]
            rest = rest[place.endIndex...]
        } else {
            result += "%"
            rest = rest[rest.index(after: percent)...]
        }
    }
    return result + rest
}

/// Return text of others without what would change how the rest of a screen is read.
///
/// Control characters, and those that turn the direction of writing, are shown as their numbers.
public func visible(_ text: String) -> String {
    var shown = ""
    for scalar in text.unicodeScalars {
        if scalar == "\n" || isPlain(scalar) {
            shown.unicodeScalars.append(scalar)
        } else {
            shown += String(format: "\\u%04x", scalar.value)
        }
    }
    return shown
}

private func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: false
    default: true
    }
}
