import BenchCore
import CoreML

/// The function of a package that has one network.
private let mainFunction = "main"

/// Return where the operations of a plan will run, each with its share of the cost.
///
/// A unit is nil where the plan does not say: a model whose deployment target is too old has no
/// usage for any operation. Nil never means the CPU.
@available(iOS 17.4, *)
func operations(of plan: MLComputePlan, entry: String?) -> [PlacedOperation] {
    operations(of: plan.modelStructure, plan, entry)
}

@available(iOS 17.4, *)
private func operations(
    of structure: MLModelStructure, _ plan: MLComputePlan, _ entry: String?
) -> [PlacedOperation] {
    switch structure {
    case .program(let program):
        guard let function = program.functions[entry ?? mainFunction] else { return [] }
        return operations(of: function.block, plan)
    case .neuralNetwork(let network):
        return network.layers.map { layer in
            placed(layer.name, layer.type, plan.deviceUsage(for: layer), cost: nil)
        }
    case .pipeline(let pipeline):
        return pipeline.subModels.flatMap { operations(of: $0, plan, nil) }
    case .unsupported:
        return []
    @unknown default:
        return []
    }
}

@available(iOS 17.4, *)
private func operations(
    of block: MLModelStructure.Program.Block, _ plan: MLComputePlan
) -> [PlacedOperation] {
    block.operations.flatMap { operation -> [PlacedOperation] in
        // A constant computes nothing, so that no unit has it.
        if operation.operatorName.hasSuffix("const") { return [] }
        let name = operation.outputs.first?.name ?? operation.operatorName
        let placed = placed(
            name, operation.operatorName, plan.deviceUsage(for: operation),
            cost: plan.estimatedCost(of: operation)?.weight)
        return [placed] + operation.blocks.flatMap { operations(of: $0, plan) }
    }
}

@available(iOS 17.4, *)
private func placed(
    _ name: String, _ kind: String, _ usage: MLComputePlan.DeviceUsage?, cost: Double?
) -> PlacedOperation {
    PlacedOperation(
        name: name, kind: kind, unit: usage.map { unit($0.preferred) } ?? nil,
        possible: usage?.supported.compactMap(unit) ?? [], cost: cost)
}

@available(iOS 17, *)
private func unit(_ device: MLComputeDevice) -> ComputeUnit? {
    switch device {
    case .cpu: .cpu
    case .gpu: .gpu
    case .neuralEngine: .npu
    @unknown default: nil
    }
}
