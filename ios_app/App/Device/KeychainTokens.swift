import BenchCore
import Foundation
import Security

/// Keeps the token of a server in the keychain, for this device alone.
///
/// It is in no backup, and there only while the phone was unlocked once since it started.
struct KeychainTokens: TokenStore {
    private static let service = "mobilebench server"
    private static let account = "device"

    func read() -> String? {
        var result: CFTypeRef?
        let query = Self.query([(kSecReturnData as NSString, NSNumber(value: true))])
        guard SecItemCopyMatching(query as CFDictionary, &result) == errSecSuccess,
            let content = result as? NSData
        else { return nil }
        return String(data: Data(referencing: content), encoding: .utf8)
    }

    func write(_ token: String) throws {
        clear()
        let accessible = kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly as NSString
        let query = Self.query([
            (kSecValueData as NSString, NSData(data: Data(token.utf8))),
            (kSecAttrAccessible as NSString, accessible),
        ])
        let status = SecItemAdd(query as CFDictionary, nil)
        guard status == errSecSuccess else {
            throw Refused("The keychain does not keep the token; its status is \(status).")
        }
    }

    func clear() {
        _ = SecItemDelete(Self.query([]) as CFDictionary)
    }

    private static func query(_ more: [(NSString, NSObject)]) -> NSMutableDictionary {
        let fields = NSMutableDictionary()
        fields.setObject(kSecClassGenericPassword as NSString, forKey: kSecClass as NSString)
        fields.setObject(NSString(string: service), forKey: kSecAttrService as NSString)
        fields.setObject(NSString(string: account), forKey: kSecAttrAccount as NSString)
        for (name, value) in more { fields.setObject(value, forKey: name) }
        return fields
    }
}
