/// Element types of tensors, by the names of NumPy.
public enum DType: String, Word {
    case float32, float16, int8, uint8, int32, int64, bool

    public var bytes: Int {
        switch self {
        case .int64: 8
        case .float32, .int32: 4
        case .float16: 2
        case .int8, .uint8, .bool: 1
        }
    }
}

/// One tensor of a static graph; images are (N, C, H, W).
public struct TensorSpec: Hashable, Sendable, CustomStringConvertible {
    public var name: String
    public var shape: [Int]
    public var dtype: DType

    public init(name: String, shape: [Int], dtype: DType = .float32) {
        self.name = name
        self.shape = shape
        self.dtype = dtype
    }

    /// Number of elements.
    public var elements: Int { shape.reduce(1, *) }

    public var bytes: Int { elements * dtype.bytes }

    public var description: String {
        let size = shape.isEmpty ? "scalar" : shape.map(String.init).joined(separator: "x")
        return "\(name) \(size) \(dtype.word)"
    }
}
