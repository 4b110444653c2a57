private let most = 0.5
private let apart = 1.1

/// Return how well it is known that a unit did the work; `p50Ns` is its median latency.
///
/// The CPU runs whatever is asked of it. Of another unit, a plan that gives it nothing means that
/// it is not supported; a plan that gives it most, and a time that is not the CPU's, confirm it.
/// One of the two makes it likely. Of `all`, which names no unit, a whole plan is all that can be
/// known.
public func judgeUnit(
    _ unit: ComputeUnit, p50Ns: Double, placement: [PlacedOperation]?, timings: [UnitTiming]
) -> UnitEvidence {
    let plan = placement ?? []
    switch unit {
    case .cpu: return .confirmed
    case .all: return !plan.isEmpty && plan.allSatisfy { $0.unit != nil } ? .likely : .unknown
    case .gpu, .npu: break
    }
    let isApart = isApart(p50Ns, timings)
    guard let planned = share(of: unit, in: plan) else {
        return isApart == true ? .likely : .unknown
    }
    if planned == 0 { return .notSupported }
    if planned < most { return .unknown }
    guard let isApart else { return .likely }
    return isApart ? .confirmed : .unknown
}

/// Return the share of the operations, by cost where the plan states it; nil without a plan.
private func share(of unit: ComputeUnit, in plan: [PlacedOperation]) -> Double? {
    let named = plan.filter { $0.unit != nil }
    let isWeighed = named.allSatisfy { $0.cost != nil }
    func weight(_ operations: [PlacedOperation]) -> Double {
        operations.reduce(0) { $0 + (isWeighed ? $1.cost ?? 0 : 1) }
    }
    let whole = weight(named)
    return whole == 0 ? nil : weight(named.filter { $0.unit == unit }) / whole
}

/// Tell whether the CPU's time is another one; nil where it was not measured.
private func isApart(_ p50Ns: Double, _ timings: [UnitTiming]) -> Bool? {
    guard let onCpu = timings.last(where: { $0.unit == .cpu }) else { return nil }
    let ratio = onCpu.p50Ns / p50Ns
    return max(ratio, 1 / ratio) >= apart
}
