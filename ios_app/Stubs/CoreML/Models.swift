// Core ML: models, their inputs and outputs.
import CoreVideo
import Foundation

open class MLModel: NSObject {
    public override init() { fatalError() }
    open var modelDescription: MLModelDescription { fatalError() }
    open var configuration: MLModelConfiguration { fatalError() }
    public class func compileModel(at modelURL: URL) async throws -> URL { fatalError() }
    public class func load(
        contentsOf url: URL, configuration: MLModelConfiguration = MLModelConfiguration()
    ) async throws -> MLModel { fatalError() }
    open func prediction(
        from input: any MLFeatureProvider, options: MLPredictionOptions
    ) throws -> any MLFeatureProvider { fatalError() }
}

open class MLModelConfiguration: NSObject {
    open var computeUnits: MLComputeUnits { get { fatalError() } set {} }
    @available(iOS 17.4, *)
    open var optimizationHints: MLOptimizationHints { get { fatalError() } set {} }
    @available(iOS 18.0, *)
    open var functionName: String? { get { fatalError() } set {} }
}

public enum MLComputeUnits: Int, @unchecked Sendable {
    case cpuOnly = 0
    case cpuAndGPU = 1
    case all = 2
    case cpuAndNeuralEngine = 3
}

/// swift: https://developer.apple.com/documentation/coreml/mloptimizationhints-swift.struct
/// objc: MLOptimizationHints
@available(iOS 17.4, *)
public struct MLOptimizationHints: Sendable {
    public init() {}
    public var reshapeFrequency: ReshapeFrequency = .frequent
    @available(iOS 18.0, *)
    public var specializationStrategy: SpecializationStrategy {
        get { fatalError() } set {}
    }

    /// swift: https://developer.apple.com/documentation/coreml/mloptimizationhints-swift.struct/reshapefrequency-swift.enum
    /// objc: MLReshapeFrequencyHint
    public enum ReshapeFrequency: Int, Sendable {
        case frequent = 0
        case infrequent = 1
    }

    /// swift: https://developer.apple.com/documentation/coreml/mloptimizationhints-swift.struct/specializationstrategy-swift.enum
    /// objc: MLSpecializationStrategy
    @available(iOS 18.0, *)
    public enum SpecializationStrategy: Int, Sendable {
        case `default` = 0
        case fastPrediction = 1
    }
}

open class MLPredictionOptions: NSObject {
    open var outputBackings: [String: Any] { get { fatalError() } set {} }
}

public protocol MLFeatureProvider {
    func featureValue(for featureName: String) -> MLFeatureValue?
}

open class MLDictionaryFeatureProvider: NSObject, MLFeatureProvider {
    public init(dictionary: [String: Any]) throws { fatalError() }
    open func featureValue(for featureName: String) -> MLFeatureValue? { fatalError() }
}

open class MLFeatureValue: NSObject {
    /// objc: featureValueWithMultiArray
    public init(multiArray value: MLMultiArray) { fatalError() }
    /// objc: featureValueWithPixelBuffer
    public init(pixelBuffer value: CVPixelBuffer) { fatalError() }
    open var multiArrayValue: MLMultiArray? { fatalError() }
}

open class MLModelDescription: NSObject {
    public override init() { fatalError() }
    open var inputDescriptionsByName: [String: MLFeatureDescription] { fatalError() }
    open var outputDescriptionsByName: [String: MLFeatureDescription] { fatalError() }
}

open class MLFeatureDescription: NSObject {
    public override init() { fatalError() }
    open var name: String { fatalError() }
    open var imageConstraint: MLImageConstraint? { fatalError() }
    open var multiArrayConstraint: MLMultiArrayConstraint? { fatalError() }
}

open class MLImageConstraint: NSObject {
    public override init() { fatalError() }
    open var pixelsHigh: Int { fatalError() }
    open var pixelsWide: Int { fatalError() }
}

open class MLMultiArrayConstraint: NSObject {
    public override init() { fatalError() }
    open var dataType: MLMultiArrayDataType { fatalError() }
    open var shape: [NSNumber] { fatalError() }
}

public enum MLMultiArrayDataType: Int, @unchecked Sendable {
    case double = 0x10040
    case float32 = 0x10020
    case float16 = 0x10010
    case int32 = 0x20020
}

open class MLMultiArray: NSObject {
    public init(shape: [NSNumber], dataType: MLMultiArrayDataType) throws { fatalError() }
    open var count: Int { fatalError() }
    open var dataType: MLMultiArrayDataType { fatalError() }
    open var shape: [NSNumber] { fatalError() }
    open var strides: [NSNumber] { fatalError() }
}

extension MLMultiArray {
    /// swift: https://developer.apple.com/documentation/coreml/mlmultiarray/withunsafebytes(_:)
    public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        fatalError()
    }

    /// swift: https://developer.apple.com/documentation/coreml/mlmultiarray/withunsafemutablebytes(_:)
    public func withUnsafeMutableBytes<R>(
        _ body: (UnsafeMutableRawBufferPointer, [Int]) throws -> R
    ) rethrows -> R { fatalError() }
}
