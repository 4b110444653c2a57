/// What was asked for cannot be done here; the message is a sentence for people.
public struct Refused: Error, Hashable, Sendable, CustomStringConvertible {
    public let message: String

    public init(_ message: String) {
        self.message = message
    }

    public var description: String { message }
}
