// Core AI, of iOS 27: no declarations of it can be had without Apple's SDK, so that these are what
// the app expects.
import Foundation

/// swift: https://developer.apple.com/documentation/coreai/aimodel
@available(iOS 27.0, *)
public final class AIModel: Sendable {
    public init(contentsOf url: URL, options: SpecializationOptions) async throws { fatalError() }
    public func loadFunction(named name: String) throws -> InferenceFunction? { fatalError() }
}

/// swift: https://developer.apple.com/documentation/coreai/inferencefunction
@available(iOS 27.0, *)
public final class InferenceFunction: Sendable {
    private init() {}
    public func run(inputs: [String: NDArray]) async throws -> Outputs { fatalError() }

    /// swift: https://developer.apple.com/documentation/coreai/inferencefunction
    @available(iOS 27.0, *)
    public struct Outputs {
        public mutating func remove(_ name: String) -> InferenceValue? { fatalError() }
    }
}

/// swift: https://developer.apple.com/documentation/coreai/inferencevalue
@available(iOS 27.0, *)
public struct InferenceValue {
    public var ndArray: NDArray? { fatalError() }
}

/// swift: https://developer.apple.com/documentation/coreai/specializationoptions
@available(iOS 27.0, *)
public struct SpecializationOptions: Sendable {
    public init(preferredComputeUnitKind: ComputeUnitKind) { fatalError() }
    public static var `default`: SpecializationOptions { fatalError() }
    public static var cpuOnly: SpecializationOptions { fatalError() }
}

/// swift: https://developer.apple.com/documentation/coreai/computeunitkind
@available(iOS 27.0, *)
public enum ComputeUnitKind: Hashable, Sendable {
    case cpu
    case gpu
    case neuralEngine

    public static var availableKinds: Set<ComputeUnitKind> { fatalError() }
}

/// swift: https://developer.apple.com/documentation/coreai/ndarray
@available(iOS 27.0, *)
public struct NDArray {
    public init<Scalar>(scalars: [Scalar], shape: [Int]) { fatalError() }
    public func view<Scalar>(as type: Scalar.Type) -> View<Scalar> { fatalError() }

    /// swift: https://developer.apple.com/documentation/coreai/ndarray/view
    public struct View<Scalar> {
        public var isContiguous: Bool { fatalError() }
        public func withUnsafePointer<R>(
            _ body: (UnsafePointer<Scalar>, [Int], [Int]) throws -> R
        ) rethrows -> R { fatalError() }
    }
}
