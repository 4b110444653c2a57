// Kinds of files.

/// objc: UTType
@available(iOS 14.0, *)
public struct UTType: Sendable, Hashable {
    /// objc: UTTypeFolder
    public static var folder: UTType { fatalError() }
    /// objc: UTTypeZIP
    public static var zip: UTType { fatalError() }
}
