// ExecuTorch's library for Apple's systems.
import Foundation

/// objc: ExecuTorchModule
open class Module: NSObject {
    public init(filePath: String) { fatalError() }
    open func load(_ method: String) throws { fatalError() }
    open func methodMetadata(_ methodName: String) throws -> MethodMetadata { fatalError() }
}

extension Module {
    /// swift: https://docs.pytorch.org/executorch/stable/using-executorch-ios.html
    public func execute(_ method: String, _ inputs: [any ValueConvertible]) throws -> [Value] {
        fatalError()
    }
}

/// swift: https://docs.pytorch.org/executorch/stable/using-executorch-ios.html
public protocol ValueConvertible {}

/// objc: ExecuTorchMethodMetadata
public final class MethodMetadata: NSObject {
    public override init() { fatalError() }
    public var backendNames: [String] { fatalError() }
    public var outputTensorMetadata: [Int: TensorMetadata] { fatalError() }
}

/// objc: ExecuTorchTensorMetadata
public final class TensorMetadata: NSObject {
    public override init() { fatalError() }
    public var shape: [Int] { fatalError() }
    public var dataType: DataType { fatalError() }
}

/// objc: ExecuTorchValue
public final class Value: NSObject {
    public override init() { fatalError() }
    /// objc: tensorValue
    public var anyTensor: AnyTensor? { fatalError() }
}

/// objc: ExecuTorchDataType
public enum DataType: Int, @unchecked Sendable {
    case byte = 0
    case char = 1
    case short = 2
    case int = 3
    case long = 4
    case half = 5
    case float = 6
    case double = 7
    case bool = 11
}

/// objc: ExecuTorchTensor
public final class AnyTensor: NSObject, ValueConvertible {
    public convenience init(data: Data, shape: [Int], dataType: DataType) { fatalError() }
    public var count: Int { fatalError() }
    public func bytes(_ handler: (UnsafeRawPointer, Int, DataType) -> Void) { fatalError() }
}
