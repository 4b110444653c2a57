/// One number that a policy is tuned by; its unit is in its name.
public struct Parameter: Sendable {
    public let name: String
    public let initial: Double
    public let least: Double
    public let most: Double

    init(_ name: String, _ initial: Double, _ least: Double, _ most: Double) {
        self.name = name
        self.initial = initial
        self.least = least
        self.most = most
    }
}

/// Every parameter of a rule; a name that it does not have is a mistake of this program.
struct Parameters {
    private let numbers: [String: Double]

    /// Take every parameter by default.
    init(_ known: [Parameter]) {
        numbers = Dictionary(uniqueKeysWithValues: known.map { ($0.name, $0.initial) })
    }

    /// Take every parameter from a policy or by default.
    ///
    /// Throws `Refused` for a name that the rule does not know, and for a number out of its range.
    init(of policy: Policy, _ known: [Parameter]) throws {
        let names = known.map(\.name)
        for name in policy.parameters.keys.sorted() where !names.contains(name) {
            let list = names.isEmpty ? "none" : names.joined(separator: ", ")
            throw Refused(
                "The policy \(policy.rule.word) has no parameter '\(name)'; it has \(list).")
        }
        var numbers: [String: Double] = [:]
        for parameter in known {
            let number = policy.parameters[parameter.name] ?? parameter.initial
            guard number >= parameter.least && number <= parameter.most else {
                throw Refused(
                    "The parameter \(parameter.name) of the policy \(policy.rule.word) is "
                        + "\(number); it has to be from \(parameter.least) to \(parameter.most).")
            }
            numbers[parameter.name] = number
        }
        self.numbers = numbers
    }

    subscript(name: String) -> Double { numbers[name]! }
}
