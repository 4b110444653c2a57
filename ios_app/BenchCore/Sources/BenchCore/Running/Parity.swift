/// Compute the inputs of every batch, and return how far each output is off in the worst of them.
///
/// Throws `ModelFailed` for another number of outputs, and for outputs of another shape.
public func checkOutputs(
    _ model: any Model, inputs: [[[UInt8]]], expected: [[[UInt8]]], outputs: [ExpectedOutput],
    unit: ComputeUnit
) throws -> UnitParity {
    try requireSame(model.outputs, outputs.map(\.tensor))
    let computed = try inputs.map { batch in
        try model.feed(batch)
        try model.run()
        return try model.read()
    }
    return UnitParity(
        unit: unit,
        outputs: outputs.enumerated().map { place, output in
            let errors = computed.indices.map { batch in
                relativeError(
                    Numbers(expected[batch][place], output.tensor),
                    Numbers(computed[batch][place], model.outputs[place]))
            }
            let isFinite = errors.allSatisfy { $0 != nil }
            return OutputParity(
                name: output.tensor.name,
                maxRelativeError: isFinite ? errors.compactMap { $0 }.max() : nil,
                limit: output.limit(on: unit))
        })
}

private func requireSame(_ given: [TensorSpec], _ expected: [TensorSpec]) throws {
    guard given.count == expected.count else {
        throw ModelFailed(
            "the model gives \(given.count) outputs, and \(expected.count) are expected")
    }
    for (one, other) in zip(given, expected) where one.shape != other.shape {
        throw ModelFailed("the output \(other.name) is \(one), and \(other) is expected")
    }
}

/// An array and what it holds.
public struct Numbers {
    private let array: [UInt8]
    private let tensor: TensorSpec

    public init(_ array: [UInt8], _ tensor: TensorSpec) {
        self.array = array
        self.tensor = tensor
    }

    public var count: Int { tensor.elements }

    public subscript(index: Int) -> Double { number(in: array, at: index, tensor.dtype) }
}

/// Return the largest difference over the largest expected value.
///
/// The difference itself where zeros are expected; nil where a number is not finite.
public func relativeError(_ expected: Numbers, _ computed: Numbers) -> Double? {
    var largest = 0.0
    var difference = 0.0
    for index in 0..<expected.count {
        let one = expected[index]
        let other = computed[index]
        if !other.isFinite { return nil }
        largest = max(largest, abs(one))
        difference = max(difference, abs(one - other))
    }
    return largest == 0 ? difference : difference / largest
}
