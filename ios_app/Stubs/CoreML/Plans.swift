// Core ML: where the operations of a model run. In Swift these are types of their own, around
// those of Objective-C that `objc:` names.
import Foundation

/// swift: https://developer.apple.com/documentation/coreml/mlcomputedevice
/// objc: MLComputeDeviceProtocol
@available(iOS 17.0, *)
public enum MLComputeDevice: @unchecked Sendable {
    case cpu(MLCPUComputeDevice)
    case gpu(MLGPUComputeDevice)
    case neuralEngine(MLNeuralEngineComputeDevice)

    /// objc: MLAllComputeDevices
    public static var allComputeDevices: [MLComputeDevice] { fatalError() }
}

@available(iOS 17.0, *)
open class MLCPUComputeDevice: NSObject {}

@available(iOS 17.0, *)
open class MLGPUComputeDevice: NSObject {}

@available(iOS 17.0, *)
open class MLNeuralEngineComputeDevice: NSObject {
    open var totalCoreCount: Int { fatalError() }
}

/// swift: https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n
/// objc: MLComputePlan
@available(iOS 17.4, *)
public final class MLComputePlan: @unchecked Sendable {
    private init() {}
    public final var modelStructure: MLModelStructure { fatalError() }
    public static func load(
        contentsOf url: URL, configuration: MLModelConfiguration
    ) async throws -> MLComputePlan { fatalError() }
    /// objc: computeDeviceUsageForMLProgramOperation
    public final func deviceUsage(
        for operation: MLModelStructure.Program.Operation
    ) -> DeviceUsage? { fatalError() }
    /// objc: computeDeviceUsageForNeuralNetworkLayer
    public final func deviceUsage(
        for layer: MLModelStructure.NeuralNetwork.Layer
    ) -> DeviceUsage? { fatalError() }
    /// objc: estimatedCostOfMLProgramOperation
    public final func estimatedCost(
        of operation: MLModelStructure.Program.Operation
    ) -> Cost? { fatalError() }

    public struct DeviceUsage: @unchecked Sendable {
        /// objc: supportedComputeDevices
        public let supported: [MLComputeDevice]
        /// objc: preferredComputeDevice
        public let preferred: MLComputeDevice
    }

    public struct Cost: @unchecked Sendable {
        public let weight: Double
    }
}

/// swift: https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum
/// objc: MLModelStructure
@available(iOS 17.4, *)
public enum MLModelStructure: @unchecked Sendable {
    case neuralNetwork(NeuralNetwork)
    case program(Program)
    case pipeline(Pipeline)
    /// swift: https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/unsupported
    case unsupported

    public struct NeuralNetwork: @unchecked Sendable {
        public let layers: [Layer]

        public struct Layer: @unchecked Sendable {
            public let name: String
            public let type: String
        }
    }

    public struct Pipeline: @unchecked Sendable {
        public let subModels: [MLModelStructure]
        public let subModelNames: [String]
    }

    public struct Program: @unchecked Sendable {
        public let functions: [String: Function]

        public struct Function: @unchecked Sendable {
            public let block: Block
        }

        public struct Block: @unchecked Sendable {
            public let operations: [Operation]
        }

        public struct Operation: @unchecked Sendable {
            public let operatorName: String
            public let outputs: [NamedValueType]
            public let blocks: [Block]
        }

        public struct NamedValueType: @unchecked Sendable {
            public let name: String
        }
    }
}
