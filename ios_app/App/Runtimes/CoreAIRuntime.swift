#if canImport(CoreAI)
    import BenchCore
    import CoreAI
    import Foundation

    /// Core AI, which is a part of iOS from 27 on.
    ///
    /// Documents have no word for its format yet: a job for it has the runtime `coreai`, the format
    /// `coreml`, and a file that ends in `.aimodel`.
    @available(iOS 27, *)
    struct CoreAIRuntime: Runtime {
        let name = "coreai"
        let format = Format.coreml
        let endings: [String]? = ["aimodel"]
        let loadWaitS: Int

        var version: String { "\(System.osName) \(System.osVersion)" }

        var units: [ComputeUnit: String?] {
            var units: [ComputeUnit: String?] = [.cpu: nil, .all: nil]
            for (unit, kind) in [(ComputeUnit.gpu, ComputeUnitKind.gpu), (.npu, .neuralEngine)] {
                let isThere = ComputeUnitKind.availableKinds.contains(kind)
                units[unit] = .some(isThere ? nil : "this device has none")
            }
            return units
        }

        /// Core AI prefers a unit and may compute on another; nothing tells where it did.
        var settings: [String: String] { ["computeUnit": "preferred"] }

        func load(_ request: ModelRequest) throws -> any Model {
            if request.delegate != nil || request.threads != 1 {
                throw Refused("Core AI takes neither a delegate nor a number of threads.")
            }
            let (file, unit) = (request.file, request.unit)
            let entry = request.entry ?? "main"
            let function = try waiting(atMost: loadWaitS, for: "Core AI's load of the model") {
                let model = try await AIModel(contentsOf: file, options: options(unit))
                return try model.loadFunction(named: entry)
            }
            guard let function else {
                throw Refused("The file has no function \(entry); write the job anew.")
            }
            return try CoreAIModel(function, request)
        }
    }

    @available(iOS 27, *)
    private func options(_ unit: ComputeUnit) -> SpecializationOptions {
        switch unit {
        case .cpu: .cpuOnly
        case .gpu: SpecializationOptions(preferredComputeUnitKind: .gpu)
        case .npu: SpecializationOptions(preferredComputeUnitKind: .neuralEngine)
        case .all: .default
        }
    }

    /// A function that Core AI has loaded. Used by one thread.
    ///
    /// Core AI has asynchronous calls alone: each inference is timed with the way to another thread
    /// and back.
    @available(iOS 27, *)
    final class CoreAIModel: Model {
        let outputs: [TensorSpec]
        private let function: InferenceFunction
        private let inputs: [TensorSpec]
        private var fed: [String: NDArray] = [:]
        private var last: [TensorArray]?

        init(_ function: InferenceFunction, _ request: ModelRequest) throws {
            self.function = function
            inputs = request.inputs
            outputs = request.outputs
            for spec in inputs + outputs where spec.dtype != .float32 {
                throw Refused("This app feeds Core AI float32 alone, and \(spec) is another type.")
            }
        }

        func feed(_ inputs: [TensorArray]) throws {
            try requireFed(self.inputs, inputs)
            for array in inputs {
                let scalars = (0..<array.tensor.elements).map { Float(array.number(at: $0)) }
                fed[array.tensor.name] = NDArray(scalars: scalars, shape: array.tensor.shape)
            }
        }

        func run() throws {
            let (function, outputs) = (function, outputs)
            let box = Handed(fed)
            last = try waiting(atMost: 600, for: "Core AI's inference") {
                var values = try await function.run(inputs: box.value)
                return try outputs.map { spec in
                    guard let array = values.remove(spec.name)?.ndArray else {
                        throw ModelFailed("Core AI gave no array for the output \(spec.name)")
                    }
                    return try content(array, spec)
                }
            }
        }

        func read() throws -> [TensorArray] {
            guard let last else { throw ModelFailed("the outputs were read before a run") }
            return last
        }
    }

    /// What goes to another thread whole.
    private struct Handed<Value>: @unchecked Sendable {
        let value: Value

        init(_ value: Value) {
            self.value = value
        }
    }

    @available(iOS 27, *)
    private func content(_ array: NDArray, _ spec: TensorSpec) throws -> TensorArray {
        let view = array.view(as: Float.self)
        guard view.isContiguous else {
            throw ModelFailed("Core AI gave the output \(spec.name) with gaps")
        }
        let bytes = view.withUnsafePointer { first, _, _ in
            Data(bytes: first, count: spec.bytes)
        }
        return TensorArray(spec, bytes: bytes)
    }
#endif
