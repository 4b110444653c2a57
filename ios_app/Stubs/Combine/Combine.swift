// Combine: objects that tell of their changes.

/// swift: https://developer.apple.com/documentation/combine/observableobject
public protocol ObservableObject: AnyObject {}

/// swift: https://developer.apple.com/documentation/combine/published
@propertyWrapper
public struct Published<Value> {
    public init(wrappedValue: Value) { fatalError() }
    public init(initialValue: Value) { fatalError() }
    public var projectedValue: Publisher { get { fatalError() } set {} }
    @available(*, unavailable, message: "@Published is only available on properties of classes")
    public var wrappedValue: Value { get { fatalError() } set { fatalError() } }
    public static subscript<EnclosingSelf: AnyObject>(
        _enclosingInstance object: EnclosingSelf,
        wrapped wrappedKeyPath: ReferenceWritableKeyPath<EnclosingSelf, Value>,
        storage storageKeyPath: ReferenceWritableKeyPath<EnclosingSelf, Published<Value>>
    ) -> Value { get { fatalError() } set { fatalError() } }

    /// swift: https://developer.apple.com/documentation/combine/published/publisher
    public struct Publisher {}
}

extension Published: @unchecked Sendable where Value: Sendable {}
