/// What a person typed or scanned is not taken; the message is a sentence for people.
public struct NotAnInvitation: Error, CustomStringConvertible {
    public let description: String

    init(_ sentence: String) {
        description = sentence
    }
}

private let largestPort = 65_535

/// Read the address of a server; return it without a slash at the end.
///
/// Without TLS, others on the way could read the token and change a model, so `http` is taken for
/// this device alone: `localhost`, `127.x.x.x` and `[::1]`. Throws `NotAnInvitation`.
public func readAddress(_ text: String) throws -> String {
    let typed = trimmed(text)
    let shown = typed.count <= 100 ? typed : typed.prefix(100) + "..."
    let odd = NotAnInvitation(
        "\(shown) is not the address of a server; write it as https://HOST or https://HOST:PORT.")
    let scheme: String
    if typed.hasPrefix("https://") {
        scheme = "https"
    } else if typed.hasPrefix("http://") {
        scheme = "http"
    } else {
        throw odd
    }
    let rest = typed.dropFirst(scheme.count + 3)
    let authority = rest.prefix { $0 != "/" }
    var path = rest.dropFirst(authority.count)
    if path.hasSuffix("/") { path = path.dropLast() }
    guard path.isEmpty || isPath(path), let (host, port) = hostAndPort(authority) else { throw odd }
    if let port, !(1...largestPort).contains(Int(port) ?? 0) {
        throw NotAnInvitation("The port of \(shown) is not one of 1 to \(largestPort).")
    }
    if scheme == "http", !isLoopback(host) {
        throw NotAnInvitation(
            "\(shown) is not encrypted, and others on the way could read the token; write https, "
                + "for which the server needs TLS.")
    }
    return "\(scheme)://\(authority)\(path)"
}

/// Whether a text is parts of a path with a slash before each.
private func isPath(_ text: Substring) -> Bool {
    text.hasPrefix("/")
        && text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && $0.utf8.allSatisfy { isPlain($0) || "._~-".utf8.contains($0) }
        }
}

private func hostAndPort(_ authority: Substring) -> (host: Substring, port: Substring?)? {
    let host: Substring
    if authority.hasPrefix("[") {
        guard let end = authority.firstIndex(of: "]") else { return nil }
        host = authority[...end]
        let inside = host.dropFirst().dropLast()
        guard !inside.isEmpty, inside.utf8.allSatisfy({ isHexadecimal($0) || ":.".utf8.contains($0) })
        else { return nil }
    } else {
        host = authority.prefix { $0 != ":" }
        guard let first = host.utf8.first, isPlain(first),
            host.utf8.allSatisfy({ isPlain($0) || ".-".utf8.contains($0) })
        else { return nil }
    }
    let port = authority.dropFirst(host.count)
    if port.isEmpty { return (host, nil) }
    let digits = port.dropFirst()
    guard port.hasPrefix(":"), (1...5).contains(digits.utf8.count),
        digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    return (host, digits)
}

/// Whether a host is this device, as its name says.
private func isLoopback(_ host: Substring) -> Bool {
    let name = host.lowercased()
    if name == "localhost" || name == "[::1]" { return true }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127"
        && parts.allSatisfy { part in
            (1...3).contains(part.utf8.count)
                && part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
                && (Int(part) ?? 256) <= 255
        }
}

/// Whether a byte is a letter or a digit of ASCII.
func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: false
    }
}

private func isHexadecimal(_ byte: UInt8) -> Bool { hexadecimalDigit(byte) != nil }

/// Return a text without white space around it.
func trimmed(_ text: String) -> String {
    let end = text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()
    return String(end)
}
