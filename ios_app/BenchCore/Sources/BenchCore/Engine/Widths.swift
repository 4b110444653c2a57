extension Job {
    /// Throw `Refused` where the policy cannot be followed.
    ///
    /// That is so for parameters that the policy does not have, and for a variant whose accuracy is
    /// not known.
    public func requirePossible() throws {
        if policy.rule == .fixed { return }
        _ = try chooser(coolNs: variants.indices.map { variants.count - $0 })
    }

    /// Return what a run needs to choose between variants; nil where nothing is chosen.
    ///
    /// Throws as `requirePossible` does.
    public func several(select: @escaping Select) throws -> Several? {
        try requirePossible()
        if policy.rule == .fixed { return nil }
        return Several(widths: variants.map(\.width), select: select) { coolNs in
            try chooser(coolNs: coolNs)
        }
    }

    private func chooser(coolNs: [Int]) throws -> any Chooser {
        let costs = try zip(variants, coolNs).map { variant, coolNs in
            guard let accuracy = variant.accuracy else {
                throw Refused(
                    "The policy \(policy.rule.word) weighs accuracies, and that of \(variant.name) "
                        + "is not known; write the job again with --widths, which holds them.")
            }
            return WidthCost(width: variant.width, coolNs: coolNs, top1: accuracy.top1)
        }
        return PolicyChooser(
            try controller(of: policy, widths: costs, intervalNs: benchProtocol.intervalNs))
    }
}

/// Lets a controller choose; it sees each state as a reading.
public final class PolicyChooser: Chooser {
    private let controller: any Controller
    private var readingsOfStates = ThermalReadings()

    public init(_ controller: any Controller) {
        self.controller = controller
    }

    public func choose(tNs: Int, index: Int, latencyNs: Int, state: DeviceState?) -> Int {
        let reading = state.map { readingsOfStates.reading(of: $0) }
        return controller.decide(tNs: tNs, index: index, latencyNs: latencyNs, reading: reading)
    }

    public var reason: String { controller.reason.word }

    public var readings: [String: Double] { controller.inputs }
}
