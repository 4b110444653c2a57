#if canImport(OnnxRuntimeBindings)
    import BenchCore
    import Foundation
    import OnnxRuntimeBindings

    /// ONNX Runtime, on the CPU.
    ///
    /// Its Core ML provider compiles for each session and chooses units by itself; models for Core
    /// ML are measured with Core ML.
    struct OnnxRuntime: Runtime {
        let name = "onnxruntime"
        let format = Format.onnx
        let units: [ComputeUnit: String?] = [
            .cpu: nil,
            .gpu: "this build has the CPU alone",
            .npu: "this build has the CPU alone; measure a Core ML model with coreml",
            .all: "this build has the CPU alone",
        ]
        private let environment: ORTEnv

        let version: String

        init() throws {
            guard let version = ORTVersion() else {
                throw Refused("ONNX Runtime does not tell its version; build the app with another.")
            }
            self.version = version
            environment = try ORTEnv(loggingLevel: .warning)
        }

        /// The default of ONNX Runtime, and what the Android app sets.
        var settings: [String: String] { ["session.intra_op.allow_spinning": "1"] }

        func load(_ request: ModelRequest) throws -> any Model {
            if let delegate = request.delegate {
                throw Refused("This build has no \(delegate) for ONNX Runtime.")
            }
            if request.entry != nil {
                throw Refused("A file of several widths is not for this runtime on iOS.")
            }
            do {
                let options = try ORTSessionOptions()
                try options.setIntraOpNumThreads(Int32(request.threads))
                for (key, value) in settings {
                    try options.addConfigEntry(withKey: key, value: value)
                }
                let session = try ORTSession(
                    env: environment, modelPath: request.file.path, sessionOptions: options)
                return try OnnxModel(session, request)
            } catch let error as ModelFailed {
                throw error
            } catch {
                throw ModelFailed("ONNX Runtime's load failed: \(words(of: error))")
            }
        }
    }

    /// A network that ONNX Runtime has loaded. Used by one thread.
    final class OnnxModel: Model {
        let outputs: [TensorSpec]
        private let session: ORTSession
        private let inputs: [TensorSpec]
        private let names: Set<String>
        private var fed: [String: ORTValue] = [:]
        private var last: [String: ORTValue] = [:]

        init(_ session: ORTSession, _ request: ModelRequest) throws {
            self.session = session
            inputs = request.inputs
            outputs = request.outputs
            names = Set(try session.outputNames())
            for spec in outputs where !names.contains(spec.name) {
                let found = names.sorted().joined(separator: ", ")
                throw ModelFailed(
                    "the output \(spec.name) is expected, and the model gives \(found)")
            }
        }

        func feed(_ inputs: [TensorArray]) throws {
            try requireFed(self.inputs, inputs)
            for array in inputs {
                fed[array.tensor.name] = try ORTValue(
                    tensorData: NSMutableData(data: array.bytes),
                    elementType: try elementType(array.tensor.dtype),
                    shape: array.tensor.shape.map { NSNumber(value: $0) })
            }
        }

        func run() throws {
            do {
                last = try session.run(withInputs: fed, outputNames: names, runOptions: nil)
            } catch {
                throw ModelFailed("ONNX Runtime's inference failed: \(words(of: error))")
            }
        }

        func read() throws -> [TensorArray] {
            try outputs.map { spec in
                guard let data = try last[spec.name]?.tensorData(), data.length == spec.bytes else {
                    throw ModelFailed("ONNX Runtime gave no \(spec) as an output")
                }
                return TensorArray(spec, bytes: data as Data)
            }
        }
    }

    private func elementType(_ dtype: DType) throws -> ORTTensorElementDataType {
        switch dtype {
        case .float32: .float
        case .int8: .int8
        case .uint8: .uInt8
        case .int32: .int32
        case .int64: .int64
        case .float16, .bool:
            throw ModelFailed("ONNX Runtime for iOS has no arrays of \(dtype.word)")
        }
    }
#endif
