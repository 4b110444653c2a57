import BenchCore
import CryptoKit
import Foundation

/// Signs records with the Ed25519 key of this device.
struct DeviceSigner: Signer {
    private let key: Curve25519.Signing.PrivateKey

    var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }

    func sign(_ message: [UInt8]) throws -> [UInt8] { Array(try key.signature(for: message)) }

    /// Return the signer of this device; its key is made on first use and leaves in no backup.
    static func ofThisDevice() throws -> DeviceSigner {
        let file = try privateFolder().appendingPathComponent("key")
        if let kept = try? Data(contentsOf: file) {
            return DeviceSigner(key: try Curve25519.Signing.PrivateKey(rawRepresentation: kept))
        }
        let key = Curve25519.Signing.PrivateKey()
        try key.rawRepresentation.write(to: file, options: .atomic)
        return DeviceSigner(key: key)
    }
}
