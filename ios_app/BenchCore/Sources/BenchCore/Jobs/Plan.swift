import Foundation

/// The file in a job's folder with the runtime's plan, which a launch of its own asked for.
public let planFile = "plan.json"

/// What a runtime plans for one model on one unit, as a launch before the run learned it.
///
/// Asking for a plan can end the process, and what it leaves in memory would be measured. So the
/// app asks in one launch and measures in another, and this file is between them. Only this app
/// reads it.
public struct Plan: Codable, Hashable, Sendable {
    /// Of the model file.
    public var modelSha256: String
    public var entry: String?
    public var unit: String
    /// The build of the system: another one may plan otherwise.
    public var osBuild: String
    /// Whether asking ended the app; it is not asked again.
    public var endedApp: Bool
    public var operations: [Operation]

    public struct Operation: Codable, Hashable, Sendable {
        public var name: String
        public var kind: String
        public var unit: String?
        public var possible: [String]
        public var cost: Double?
    }

    public init(
        modelSha256: String, entry: String?, unit: ComputeUnit, osBuild: String,
        endedApp: Bool = false, operations: [PlacedOperation]
    ) {
        self.modelSha256 = modelSha256
        self.entry = entry
        self.unit = unit.word
        self.osBuild = osBuild
        self.endedApp = endedApp
        self.operations = operations.map {
            Operation(
                name: $0.name, kind: $0.kind, unit: $0.unit?.word,
                possible: $0.possible.map(\.word), cost: $0.cost)
        }
    }

    /// The operations in the words of documents; nil where the runtime told none.
    public var placement: [PlacedOperation]? {
        if operations.isEmpty { return nil }
        return operations.map {
            PlacedOperation(
                name: $0.name, kind: $0.kind, unit: $0.unit.flatMap(ComputeUnit.init),
                possible: $0.possible.compactMap(ComputeUnit.init), cost: $0.cost)
        }
    }

    /// Whether it is the plan of a job's model on its unit, by this build of the system.
    public func isOf(_ job: Job, osBuild: String) -> Bool {
        modelSha256 == job.modelSha256 && entry == job.variants.first?.entry
            && unit == job.computeUnit.word && self.osBuild == osBuild
    }
}

/// Keep the plan of a job for the run that comes.
public func keepPlan(_ plan: Plan, in folder: URL) throws {
    try JSONEncoder().encode(plan)
        .write(to: folder.appendingPathComponent(planFile), options: .atomic)
}

/// Return the plan that was kept for a job; nil where there is none, or one of something else.
public func keptPlan(in folder: URL, _ job: Job, osBuild: String) -> Plan? {
    guard let content = try? Data(contentsOf: folder.appendingPathComponent(planFile)),
        let plan = try? JSONDecoder().decode(Plan.self, from: content)
    else { return nil }
    return plan.isOf(job, osBuild: osBuild) ? plan : nil
}
