// What Foundation and the modules that come with it have on Apple's systems only.
import Foundation

/// swift: https://developer.apple.com/documentation/corefoundation/cfallocator
public final class CFAllocator {}
/// swift: https://developer.apple.com/documentation/corefoundation/cfdictionary
public typealias CFDictionary = NSDictionary
/// swift: https://developer.apple.com/documentation/corefoundation/cfstring
public typealias CFString = NSString
/// swift: https://developer.apple.com/documentation/corefoundation/kcfallocatordefault
public var kCFAllocatorDefault: CFAllocator? { nil }

extension ProcessInfo {
    public enum ThermalState: Int, @unchecked Sendable {
        case nominal = 0
        case fair = 1
        case serious = 2
        case critical = 3
    }

    public var thermalState: ThermalState { fatalError() }
    public var isLowPowerModeEnabled: Bool { fatalError() }
    public class var thermalStateDidChangeNotification: NSNotification.Name { fatalError() }
}

extension NSData {
    public enum CompressionAlgorithm: Int, @unchecked Sendable {
        case lzfse = 0
        case lz4 = 1
        case lzma = 2
        case zlib = 3
    }

    public func compressed(using algorithm: CompressionAlgorithm) throws -> NSData {
        fatalError()
    }
}

extension NSNotification.Name {
    public static var NSProcessInfoPowerStateDidChange: NSNotification.Name { fatalError() }
}

/// swift: https://developer.apple.com/documentation/objectivec/autoreleasepool(invoking:)
public func autoreleasepool<Result>(invoking body: () throws -> Result) rethrows -> Result {
    fatalError()
}

extension URL {
    /// swift: https://developer.apple.com/documentation/foundation/nsurl/startaccessingsecurityscopedresource()
    public func startAccessingSecurityScopedResource() -> Bool { fatalError() }
    /// swift: https://developer.apple.com/documentation/foundation/nsurl/stopaccessingsecurityscopedresource()
    public func stopAccessingSecurityScopedResource() { fatalError() }
}
