/// Compute the inputs of every batch, and return how far each output is off in the worst of them.
///
/// Throws `ModelFailed` for another number of outputs, and for outputs of another shape.
public func checkOutputs(
    _ model: any Model, inputs: [[TensorArray]], expected: [[TensorArray]],
    outputs: [ExpectedOutput], unit: ComputeUnit
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
                relativeError(expected[batch][place], computed[batch][place])
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

/// Return the largest difference over the largest expected value.
///
/// The difference itself where zeros are expected; nil where a number is not finite.
public func relativeError(_ expected: TensorArray, _ computed: TensorArray) -> Double? {
    var largest = 0.0
    var difference = 0.0
    for index in 0..<expected.tensor.elements {
        let one = expected.number(at: index)
        let other = computed.number(at: index)
        if !other.isFinite { return nil }
        largest = max(largest, abs(one))
        difference = max(difference, abs(one - other))
    }
    return largest == 0 ? difference : difference / largest
}
