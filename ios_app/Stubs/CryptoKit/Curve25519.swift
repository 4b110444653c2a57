// CryptoKit: signatures.
import Foundation

/// swift: https://developer.apple.com/documentation/cryptokit/curve25519
public enum Curve25519: Sendable {
    /// swift: https://developer.apple.com/documentation/cryptokit/curve25519/signing
    public enum Signing: Sendable {
        /// swift: https://developer.apple.com/documentation/cryptokit/curve25519/signing/privatekey
        public struct PrivateKey: Sendable {
            public init() { fatalError() }
            public init<D: ContiguousBytes>(rawRepresentation data: D) throws { fatalError() }
            public var publicKey: PublicKey { fatalError() }
            public var rawRepresentation: Data { fatalError() }
            public func signature<D: DataProtocol>(for data: D) throws -> Data { fatalError() }
        }

        /// swift: https://developer.apple.com/documentation/cryptokit/curve25519/signing/publickey
        public struct PublicKey: Sendable {
            public var rawRepresentation: Data { fatalError() }
        }
    }
}
