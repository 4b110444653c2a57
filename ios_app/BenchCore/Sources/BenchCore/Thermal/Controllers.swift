/// Return the controller of a policy, at the widest width, that has seen nothing yet.
///
/// Throws `Refused` for parameters that the rule does not have, and where neither the aim nor the
/// protocol gives a deadline.
public func controller(
    of policy: Policy, widths: [WidthCost], intervalNs: Int?
) throws -> any Controller {
    let parameters = try Parameters(of: policy, policy.rule.parameters)
    if policy.rule == .fixed { return Fixed() }
    guard let deadlineNs = policy.aim.deadlineNs ?? intervalNs else {
        throw Refused(
            "The policy \(policy.rule.word) needs a deadline, and frames follow each other "
                + "directly; choose a protocol with a frame rate, or state a deadline in the aim.")
    }
    switch policy.rule {
    case .fixed: return Fixed()
    case .deadline: return Deadline(widths, deadlineNs, parameters)
    case .threshold: return Threshold(widths, policy.aim, deadlineNs, parameters)
    case .headroom: return Headroom(widths, policy.aim, deadlineNs, parameters)
    case .predictive: return Predictive(widths, policy.aim, deadlineNs, parameters)
    }
}

extension PolicyRule {
    /// The parameters that the rule has.
    public var parameters: [Parameter] {
        switch self {
        case .fixed: return []
        case .deadline: return Deadline.parameters
        case .threshold: return Threshold.parameters
        case .headroom: return Headroom.parameters
        case .predictive: return Predictive.parameters
        }
    }
}
