#if os(Linux)
    import BenchCore
    import COpenSSL

    /// Signs with the Ed25519 of OpenSSL, by a key of 32 bytes.
    struct OpenSslSigner: Signer {
        private let privateKey: [UInt8]
        let publicKey: [UInt8]

        init(_ privateKey: [UInt8]) {
            self.privateKey = privateKey
            let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, privateKey, keyBytes)
            defer { EVP_PKEY_free(key) }
            var bytes = [UInt8](repeating: 0, count: keyBytes)
            var count = keyBytes
            require(EVP_PKEY_get_raw_public_key(key, &bytes, &count))
            publicKey = bytes
        }

        func sign(_ message: [UInt8]) -> [UInt8] {
            let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, privateKey, keyBytes)
            let context = EVP_MD_CTX_new()
            defer {
                EVP_MD_CTX_free(context)
                EVP_PKEY_free(key)
            }
            var signature = [UInt8](repeating: 0, count: signatureBytes)
            var count = signatureBytes
            require(EVP_DigestSignInit(context, nil, nil, nil, key))
            require(EVP_DigestSign(context, &signature, &count, message, message.count))
            return signature
        }
    }

    /// Checks signatures with the Ed25519 of OpenSSL.
    struct OpenSslCheck: SignatureCheck {
        func matches(
            _ signature: [UInt8], over message: [UInt8], by publicKey: [UInt8]
        ) -> Bool {
            let key = EVP_PKEY_new_raw_public_key(
                EVP_PKEY_ED25519, nil, publicKey, publicKey.count
            )
            let context = EVP_MD_CTX_new()
            defer {
                EVP_MD_CTX_free(context)
                EVP_PKEY_free(key)
            }
            return EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
                && EVP_DigestVerify(context, signature, signature.count, message, message.count)
                    == 1
        }
    }

    private let keyBytes = 32
    private let signatureBytes = 64

    private func require(_ result: Int32) {
        precondition(result == 1, "OpenSSL does not take the key")
    }
#endif
