import Foundation

/// Keeps the token of this device: in the keychain in the app, in a file in tests.
public protocol TokenStore: Sendable {
    /// Return the token; nil where there is none, or it can no longer be read.
    func read() -> String?

    /// Keep a token in place of the one before.
    func write(_ token: String) throws

    /// Forget the token.
    func clear()
}

/// Keeps the token in a file as it is, for programs of a computer.
public struct TokenFile: TokenStore {
    private let file: URL

    public init(_ file: URL) {
        self.file = file
    }

    public func read() -> String? {
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return nil }
        let token = trimmed(text)
        return token.isEmpty ? nil : token
    }

    public func write(_ token: String) throws { try writeWhole(token, to: file) }

    public func clear() { try? FileManager.default.removeItem(at: file) }
}

/// Keeps where this device is enrolled, without the token.
public struct EnrolmentFile: Sendable {
    private let file: URL

    public init(_ file: URL) {
        self.file = file
    }

    /// Return the enrolment; nil where there is none.
    public func read() -> Enrolment? {
        guard let content = try? Data(contentsOf: file),
            case .object(let fields) = try? readJson(Array(content), file.lastPathComponent),
            case .text(let server) = fields["server"], case .text(let device) = fields["device"]
        else { return nil }
        return Enrolment(server: server, device: device, scopes: texts(fields["scopes"]))
    }

    /// Keep an enrolment in place of the one before.
    public func write(_ enrolment: Enrolment) throws {
        var fields = JsonObject()
        fields.add("server", enrolment.server)
        fields.add("device", enrolment.device)
        fields.add("scopes", enrolment.scopes) { .text($0) }
        try writeWhole(fields.text, to: file)
    }

    /// Forget the enrolment.
    public func clear() { try? FileManager.default.removeItem(at: file) }
}

/// Write a file that is whole or not there.
func writeWhole(_ text: String, to file: URL) throws {
    try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file, options: .atomic)
}
