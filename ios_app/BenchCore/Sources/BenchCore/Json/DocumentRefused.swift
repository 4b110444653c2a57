import Foundation

/// A document that is not taken; the message is a sentence for people.
public struct DocumentRefused: Error, Hashable, Sendable, CustomStringConvertible {
    public let message: String
    /// Whether it is no JSON at all, as a text that was cut off.
    public let isNotJson: Bool

    public init(_ message: String, isNotJson: Bool = false) {
        self.message = message
        self.isNotJson = isNotJson
    }

    public var description: String { message }
}

extension DocumentRefused: LocalizedError {
    public var errorDescription: String? { message }
}
