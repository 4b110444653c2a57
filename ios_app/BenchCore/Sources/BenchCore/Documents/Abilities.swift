extension Job {
    /// Every file that the job names, with its sha256.
    public var files: [String: String] {
        var named = [modelFile: modelSha256]
        for variant in variants { named[variant.modelFile] = variant.modelSha256 }
        if let parity {
            named[parity.inputsFile] = parity.inputsSha256
            named[parity.expectedFile] = parity.expectedSha256
        }
        return named
    }
}

/// What a device has of what a job can ask for.
public struct Abilities: Hashable, Sendable {
    public var runtimes: [String]
    public var computeUnits: [ComputeUnit]
    public var policies: [PolicyRule]
    /// Whether it sends its record to the address in the job.
    public var uploads: Bool

    public init(
        runtimes: [String],
        computeUnits: [ComputeUnit],
        policies: [PolicyRule] = [.fixed],
        uploads: Bool = false
    ) {
        self.runtimes = runtimes
        self.computeUnits = computeUnits
        self.policies = policies
        self.uploads = uploads
    }

    /// Return what a job asks for in vain, in a clause; nil where it can be done.
    public func lacks(_ job: Job) -> String? {
        if let clause = lacks("runtime", job.runtime, runtimes)
            ?? lacks("compute unit", job.computeUnit.word, computeUnits.map(\.word))
            ?? lacks("policy", job.policy.rule.word, policies.map(\.word))
        {
            return clause
        }
        guard job.uploadUrl != nil, !uploads else { return nil }
        return "it asks for an upload, and the device keeps its record"
    }

    private func lacks(_ noun: String, _ wanted: String, _ present: [String]) -> String? {
        if present.contains(wanted) { return nil }
        let all = present.joined(separator: ", ")
        return "it asks for the \(noun) \(wanted), and the device has only \(all)"
    }
}
