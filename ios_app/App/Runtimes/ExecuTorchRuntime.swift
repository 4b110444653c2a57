#if canImport(ExecuTorch)
    import BenchCore
    import ExecuTorch
    import Foundation

    private let forward = "forward"
    private let xnnpack = "xnnpack"
    private let xnnpackBackend = "XnnpackBackend"

    /// ExecuTorch, on the CPU: its own operations, or XNNPACK's.
    struct ExecuTorchRuntime: Runtime {
        let name = "executorch"
        let format = Format.executorch
        let units: [ComputeUnit: String?] = [
            .cpu: nil,
            .gpu: "this build has the CPU alone",
            .npu: "this build has the CPU alone; measure a Core ML model with coreml",
            .all: "this build has the CPU alone",
        ]

        /// The library does not tell its version, so it is that of the package.
        let version: String

        init() throws {
            guard let version = try packageVersion("executorch") else {
                throw Refused(
                    "The app does not know which ExecuTorch it has, because Xcode left no "
                        + "Package.resolved in the project; add the package as ios_app/README.md "
                        + "says, and build anew.")
            }
            self.version = version
        }

        func load(_ request: ModelRequest) throws -> any Model {
            if let delegate = request.delegate, delegate != xnnpack {
                throw Refused("This build has no \(delegate) for ExecuTorch, only \(xnnpack).")
            }
            if request.threads != 1 {
                throw Refused(
                    "ExecuTorch for iOS takes no number of threads; write the job with 1.")
            }
            do {
                let module = Module(filePath: request.file.path)
                let method = request.entry ?? forward
                try module.load(method)
                return try ExecuTorchModel(module, method, request)
            } catch let error as ModelFailed {
                throw error
            } catch let error as Refused {
                throw error
            } catch {
                throw ModelFailed("ExecuTorch's load failed: \(words(of: error))")
            }
        }
    }

    /// A network that ExecuTorch has loaded. Used by one thread.
    final class ExecuTorchModel: Model {
        let outputs: [TensorSpec]
        private let module: Module
        private let method: String
        private let inputs: [TensorSpec]
        private var fed: [AnyTensor] = []
        private var last: [Value] = []

        init(_ module: Module, _ method: String, _ request: ModelRequest) throws {
            self.module = module
            self.method = method
            inputs = request.inputs
            let metadata = try module.methodMetadata(method)
            let backends = metadata.backendNames
            let isAsked = request.delegate == xnnpack
            guard backends.allSatisfy({ $0 == xnnpackBackend }), isAsked == !backends.isEmpty else {
                let found = backends.isEmpty ? "none" : backends.joined(separator: ", ")
                throw Refused(
                    "The job asks for the delegate \(request.delegate ?? "none"), and the file has "
                        + "\(found); export it anew.")
            }
            let names = request.outputs.map(\.name)
            let tensors = metadata.outputTensorMetadata.sorted { $0.key < $1.key }
            outputs = try tensors.map { place, tensor in
                let name = names.indices.contains(place) ? names[place] : "output_\(place)"
                return TensorSpec(
                    name: name, shape: tensor.shape, dtype: try dtype(tensor.dataType))
            }
        }

        func feed(_ inputs: [TensorArray]) throws {
            try requireFed(self.inputs, inputs)
            fed = inputs.map {
                AnyTensor(
                    data: $0.bytes, shape: $0.tensor.shape, dataType: dataType($0.tensor.dtype))
            }
        }

        func run() throws {
            do {
                last = try module.execute(method, fed)
            } catch {
                throw ModelFailed("ExecuTorch's inference failed: \(words(of: error))")
            }
        }

        func read() throws -> [TensorArray] {
            guard last.count == outputs.count else {
                throw ModelFailed("ExecuTorch gave \(last.count) outputs of \(outputs.count)")
            }
            return try zip(outputs, last).map { spec, value in
                guard let tensor = value.anyTensor, tensor.count == spec.elements else {
                    throw ModelFailed("ExecuTorch gave no \(spec) as an output")
                }
                var bytes = Data()
                tensor.bytes { first, _, _ in bytes = Data(bytes: first, count: spec.bytes) }
                return TensorArray(spec, bytes: bytes)
            }
        }
    }

    private func dataType(_ dtype: DType) -> DataType {
        switch dtype {
        case .float32: .float
        case .float16: .half
        case .int8: .char
        case .uint8: .byte
        case .int32: .int
        case .int64: .long
        case .bool: .bool
        }
    }

    private func dtype(_ type: DataType) throws -> DType {
        switch type {
        case .float: return .float32
        case .half: return .float16
        case .char: return .int8
        case .byte: return .uint8
        case .int: return .int32
        case .long: return .int64
        case .bool: return .bool
        default: throw ModelFailed("ExecuTorch has an output of a type that this app does not know")
        }
    }
#endif
