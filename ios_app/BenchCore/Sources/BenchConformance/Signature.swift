import BenchCore

/// Answer a task of the kind `signature`: the signature of a document by a key that is given.
///
/// On Linux only: on Apple's systems the app signs, with CryptoKit.
@Sendable func answerSignature(_ given: JsonObject) throws -> Json? {
    #if os(Linux)
        guard let key = bytes(hexadecimal: given.text("private_key")) else { return nil }
        return try signed(given.part("document"), by: OpenSslSigner(key))["signature"]
    #else
        return nil
    #endif
}

/// What checks a signature here; nil where nothing does.
func signatureCheck() -> (any SignatureCheck)? {
    #if os(Linux)
        return OpenSslCheck()
    #else
        return nil
    #endif
}
