// Security: the keychain.
@_exported import Foundation

/// swift: https://developer.apple.com/documentation/corefoundation/cftyperef
public typealias CFTypeRef = AnyObject
/// swift: https://developer.apple.com/documentation/kernel/osstatus
public typealias OSStatus = Int32

public var errSecSuccess: OSStatus { fatalError() }
public var errSecItemNotFound: OSStatus { fatalError() }
public var kSecClass: NSString { fatalError() }
public var kSecClassGenericPassword: NSString { fatalError() }
public var kSecAttrService: NSString { fatalError() }
public var kSecAttrAccount: NSString { fatalError() }
public var kSecAttrAccessible: NSString { fatalError() }
public var kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly: NSString { fatalError() }
public var kSecValueData: NSString { fatalError() }
public var kSecReturnData: NSString { fatalError() }

public func SecItemAdd(
    _ attributes: NSDictionary, _ result: UnsafeMutablePointer<CFTypeRef?>?
) -> OSStatus { fatalError() }
public func SecItemCopyMatching(
    _ query: NSDictionary, _ result: UnsafeMutablePointer<CFTypeRef?>?
) -> OSStatus { fatalError() }
public func SecItemDelete(_ query: NSDictionary) -> OSStatus { fatalError() }
