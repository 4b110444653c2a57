import BenchCore
import CoreML
import Foundation

/// A network that Core ML has loaded. Used by one thread.
final class CoreMLModel: Model {
    let outputs: [TensorSpec]
    let isFirstEver: Bool
    let placement: [PlacedOperation]?
    private let model: MLModel
    private let inputs: [CoreMLInput]
    private let preparesInside: Bool
    private let options = MLPredictionOptions()
    private var fed: [TensorArray] = []
    private var features: (any MLFeatureProvider)?
    private var last: (any MLFeatureProvider)?

    init(
        _ model: MLModel, _ request: ModelRequest, isFirstEver: Bool,
        placement: [PlacedOperation]?
    ) throws {
        self.model = model
        self.isFirstEver = isFirstEver
        self.placement = placement
        preparesInside = request.preparesInside
        let description = model.modelDescription
        inputs = try request.inputs.map { spec in
            guard let feature = description.inputDescriptionsByName[spec.name] else {
                let names = description.inputDescriptionsByName.keys.sorted()
                throw Refused(
                    "The job feeds the input \(spec.name), and the file has "
                        + "\(names.joined(separator: ", ")); write the job anew.")
            }
            return try CoreMLInput(spec, feature)
        }
        let arrays = try arrayOutputs(of: description, request)
        outputs = arrays.map(\.spec)
        // The tool that `modelbench-1` repeats let Core ML make its outputs for each call.
        if !preparesInside { options.outputBackings = try backings(arrays) }
    }

    func feed(_ inputs: [TensorArray]) throws {
        try requireFed(self.inputs.map(\.spec), inputs)
        fed = inputs
        features = try prepared()
    }

    func run() throws {
        do {
            let features = preparesInside ? try prepared() : features
            guard let features else { throw ModelFailed("the model was run before it was fed") }
            last = try model.prediction(from: features, options: options)
        } catch let error as ModelFailed {
            throw error
        } catch {
            throw ModelFailed("Core ML's inference failed: \(words(of: error))")
        }
    }

    func read() throws -> [TensorArray] {
        guard let last else { throw ModelFailed("the outputs were read before a run") }
        return try outputs.map { spec in
            guard let array = last.featureValue(for: spec.name)?.multiArrayValue else {
                throw ModelFailed("Core ML gave no array for the output \(spec.name)")
            }
            return TensorArray(spec, bytes: try content(array))
        }
    }

    private func prepared() throws -> any MLFeatureProvider {
        var values: [String: MLFeatureValue] = [:]
        for (input, array) in zip(inputs, fed) {
            values[input.spec.name] = try input.feature(array)
        }
        do {
            return try MLDictionaryFeatureProvider(dictionary: values)
        } catch {
            throw ModelFailed("Core ML does not take the inputs: \(words(of: error))")
        }
    }
}

/// An output that is an array.
private struct ArrayOutput {
    let spec: TensorSpec
    let type: MLMultiArrayDataType
}

/// Return the outputs that are arrays, in the order that is expected.
///
/// Core ML tells outputs without an order. The label of a classifier is left out: its scores
/// determine it.
private func arrayOutputs(
    of description: MLModelDescription, _ request: ModelRequest
) throws -> [ArrayOutput] {
    var arrays: [String: ArrayOutput] = [:]
    for (name, feature) in description.outputDescriptionsByName {
        guard let constraint = feature.multiArrayConstraint else { continue }
        let shape = constraint.shape.map(\.intValue)
        let spec = TensorSpec(name: name, shape: shape, dtype: try dtype(constraint.dataType))
        arrays[name] = ArrayOutput(spec: spec, type: constraint.dataType)
    }
    let expected = request.outputs.map(\.name)
    if expected.isEmpty { return arrays.values.sorted { $0.spec.name < $1.spec.name } }
    // With one output there is nothing to confuse, whatever its name.
    if arrays.count == 1, expected.count == 1 { return Array(arrays.values) }
    return try expected.map { name in
        guard let array = arrays[name] else {
            let names = arrays.keys.sorted().joined(separator: ", ")
            throw ModelFailed("the output \(name) is expected, and the model gives \(names)")
        }
        return array
    }
}

/// Make arrays that Core ML writes its outputs into, so that no inference makes any.
private func backings(_ arrays: [ArrayOutput]) throws -> [String: Any] {
    var backings: [String: Any] = [:]
    for array in arrays where !array.spec.shape.isEmpty {
        backings[array.spec.name] = try newArray(array.spec.shape, array.type)
    }
    return backings
}

func newArray(_ shape: [Int], _ type: MLMultiArrayDataType) throws -> MLMultiArray {
    do {
        return try MLMultiArray(shape: shape.map { NSNumber(value: $0) }, dataType: type)
    } catch {
        throw ModelFailed("Core ML's array cannot be made: \(words(of: error))")
    }
}

/// Return the type of an array in the words of documents; one of doubles is read as `float32`.
func dtype(_ type: MLMultiArrayDataType) throws -> DType {
    switch type {
    case .float32, .double: return .float32
    case .float16: return .float16
    case .int32: return .int32
    default: throw ModelFailed("Core ML has an array of a type that this app does not know")
    }
}

/// Return the content of an array row by row, without the gaps that a unit may leave.
private func content(_ array: MLMultiArray) throws -> Data {
    let isDouble = array.dataType == .double
    let elementBytes = isDouble ? 8 : try dtype(array.dataType).bytes
    let shape = array.shape.map(\.intValue)
    let strides = array.strides.map(\.intValue)
    let bytes = array.withUnsafeBytes {
        gathered($0, shape: shape, strides: strides, elementBytes: elementBytes)
    }
    return isDouble ? singles(bytes) : bytes
}

private func singles(_ doubles: Data) -> Data {
    var singles = Data(capacity: doubles.count / 2)
    doubles.withUnsafeBytes { bytes in
        for offset in stride(from: 0, to: bytes.count, by: 8) {
            let value = Float(bytes.loadUnaligned(fromByteOffset: offset, as: Double.self))
            withUnsafeBytes(of: value.bitPattern.littleEndian) { singles.append(contentsOf: $0) }
        }
    }
    return singles
}
