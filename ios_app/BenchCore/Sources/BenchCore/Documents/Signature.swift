/// How records are signed: Ed25519 over the canonical form.
public let signatureAlgorithm = "ed25519-jcs"

private let field = "signature"
private let keyBytes = 32

/// Signs with a key of this device. CryptoKit, which has Ed25519, is on Apple's systems only.
public protocol Signer: Sendable {
    /// 32 bytes.
    var publicKey: [UInt8] { get }

    /// Return the 64 bytes of the signature over a message.
    func sign(_ message: [UInt8]) throws -> [UInt8]
}

/// Tells whether a signature over a message is that of a public key of 32 bytes.
public protocol SignatureCheck: Sendable {
    func matches(_ signature: [UInt8], over message: [UInt8], by publicKey: [UInt8]) -> Bool
}

/// Whether a record is as it was signed.
public enum Intact: Sendable {
    case signed, unsigned
    /// It has a signature, and this platform cannot check it.
    case unchecked
}

/// Return the record with the signature of this device; unsigned without a signer.
public func signed(_ record: JsonObject, by signer: (any Signer)?) throws -> JsonObject {
    var record = unsigned(record)
    guard let signer else { return record }
    var signature = JsonObject()
    signature.add("algorithm", signatureAlgorithm)
    signature.add("public_key", hexadecimal(signer.publicKey))
    signature.add("value", hexadecimal(try signer.sign(Array(record.canonical.utf8))))
    record[field] = .object(signature)
    return record
}

/// Return the document without its signature, as it is signed.
public func unsigned(_ record: JsonObject) -> JsonObject {
    var unsigned = record
    unsigned[field] = nil
    return unsigned
}

/// Check the signature of a record as it was read; `what` names it.
///
/// Throws `DocumentRefused` where it was changed after it was signed, or has an invalid signature.
public func requireIntact(
    _ record: JsonObject, _ what: String, check: (any SignatureCheck)?
) throws -> Intact {
    guard let signature = record.known(field) else { return .unsigned }
    if let parts = partsOf(signature) {
        guard let check else { return .unchecked }
        let message = Array(unsigned(record).canonical.utf8)
        if check.matches(parts.value, over: message, by: parts.publicKey) { return .signed }
    }
    throw DocumentRefused(
        "\(what) does not match its signature: it was changed after it was signed. Take it from "
            + "where it was measured."
    )
}

private func partsOf(_ signature: Json) -> (publicKey: [UInt8], value: [UInt8])? {
    guard case .object(let fields) = signature,
        fields["algorithm"] == .text(signatureAlgorithm),
        case .text(let key) = fields["public_key"], case .text(let value) = fields["value"],
        let publicKey = bytes(hexadecimal: key), publicKey.count == keyBytes,
        let value = bytes(hexadecimal: value)
    else { return nil }
    return (publicKey, value)
}
