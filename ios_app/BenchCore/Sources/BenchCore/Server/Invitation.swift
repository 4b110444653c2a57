private let scheme = "mobilebench://enrol?"
private let codeLength = 8
/// Letters and digits that look like no other one.
private let ofCodes = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
private let longest = 1_000

/// Which server a device enrols at, and by which code.
public struct Invitation: Hashable, Sendable {
    public let server: String
    public let code: String

    /// What a person typed. Throws `NotAnInvitation` as `readAddress` and `readCode` do.
    public init(server: String, code: String) throws {
        self.server = try readAddress(server)
        self.code = try readCode(code)
    }
}

/// Read the text of a QR code: `mobilebench://enrol?server=URL&code=CODE`.
///
/// Throws `NotAnInvitation` for anything else, as `readAddress` and `readCode` do.
public func readInvitation(_ text: String) throws -> Invitation {
    let scanned = trimmed(text)
    guard scanned.utf16.count <= longest, scanned.hasPrefix(scheme) else {
        throw NotAnInvitation("This is not an invitation of mobilebench; it begins with \(scheme).")
    }
    var fields: [String: String] = [:]
    let rest = scanned.dropFirst(scheme.count)
    for part in rest.split(separator: "&", omittingEmptySubsequences: false) {
        let name = String(part.prefix { $0 != "=" })
        guard ["server", "code"].contains(name), part.contains("="), fields[name] == nil else {
            throw NotAnInvitation(
                "The invitation is not one that this app can read; take a new one.")
        }
        fields[name] = try decoded(part.dropFirst(name.count + 1))
    }
    guard let server = fields["server"] else {
        throw NotAnInvitation("The invitation names no server.")
    }
    guard let code = fields["code"] else { throw NotAnInvitation("The invitation has no code.") }
    return try Invitation(server: server, code: code)
}

/// Read what a person typed or pasted: the text of a QR code, or an address, a space and a code.
///
/// Throws `NotAnInvitation`.
public func readTyped(_ text: String) throws -> Invitation {
    let typed = trimmed(text)
    if typed.hasPrefix(scheme) { return try readInvitation(typed) }
    guard let space = typed.firstIndex(where: \.isWhitespace) else {
        throw NotAnInvitation("Write the address of the server, a space, and the code.")
    }
    return try Invitation(
        server: String(typed[..<space]), code: trimmed(String(typed[space...])))
}

/// Read a code as people type it: small letters, spaces and hyphens do not count.
public func readCode(_ text: String) throws -> String {
    let code = text.filter { $0 != " " && $0 != "-" }.map { $0.isASCII ? $0.uppercased() : "?" }
    if code.count == codeLength, code.allSatisfy({ ofCodes.contains($0) }) { return code.joined() }
    throw NotAnInvitation(
        "A code has \(codeLength) letters and digits, without 0, 1, I, L, O and U; look at it "
            + "again.")
}

/// Return a text with `%41` written as `A`.
private func decoded(_ text: Substring) throws -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
            bytes.append(byte)
            continue
        }
        let digits = rest.prefix(2).compactMap(hexadecimalDigit)
        guard digits.count == 2 else {
            throw NotAnInvitation("The invitation has a % that is followed by no number.")
        }
        bytes.append(digits[0] << 4 | digits[1])
        rest = rest.dropFirst(2)
    }
    return String(decoding: bytes, as: UTF8.self)
}
