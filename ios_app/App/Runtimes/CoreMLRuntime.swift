import BenchCore
import CoreML
import Foundation

/// Core ML, which is a part of iOS.
struct CoreMLRuntime: Runtime {
    let name = "coreml"
    let format = Format.coreml
    let endings: [String]? = ["mlpackage", "mlmodel"]
    private let wishes: CoreMLWishes
    private let loadWaitS: Int
    private let compiled: CompiledModels
    private let plan: Plan?

    /// `plan` is what an earlier launch learned of the model, for the record.
    init(wishes: CoreMLWishes, loadWaitS: Int, plan: Plan?) throws {
        self.wishes = wishes
        self.loadWaitS = loadWaitS
        self.plan = plan
        compiled = try CompiledModels(loadWaitS: loadWaitS)
    }

    /// Core ML has no version beside that of the system.
    var version: String { "\(System.osName) \(System.osVersion)" }

    var units: [ComputeUnit: String?] {
        guard System.isSimulator else { return coreMLUnits }
        let lack = "a simulator computes on the processor of its Mac alone"
        return [.cpu: nil, .gpu: lack, .npu: lack, .all: lack]
    }

    var settings: [String: String] {
        var settings: [String: String] = [:]
        if wishes.fastPrediction { settings["specializationStrategy"] = "fastPrediction" }
        if wishes.infrequentReshapes { settings["reshapeFrequency"] = "infrequent" }
        return settings
    }

    func load(_ request: ModelRequest) throws -> any Model {
        try requirePossible(request)
        let compiled = try compiled.compiled(request.file, sha256: request.sha256)
        let url = compiled.url
        let (unit, entry, wishes) = (request.unit, request.entry, wishes)
        let model = try waiting(atMost: loadWaitS, for: "Core ML's load of the model") {
            try await MLModel.load(
                contentsOf: url, configuration: configuration(unit, entry, wishes))
        }
        let isPlanned = plan?.modelSha256 == request.sha256 && plan?.unit == unit.word
        return try CoreMLModel(
            model, request, isFirstEver: compiled.isNew,
            placement: isPlanned ? plan?.placement : nil)
    }

    /// Ask Core ML where the operations of a model will run, by its compiled form.
    func placedOperations(_ request: ModelRequest) throws -> [PlacedOperation] {
        try requirePossible(request)
        guard #available(iOS 17.4, *) else {
            throw Refused("Core ML tells its plan from iOS 17.4 on; run the job without it.")
        }
        let url = try compiled.compiled(request.file, sha256: request.sha256).url
        let (unit, entry, wishes) = (request.unit, request.entry, wishes)
        return try waiting(atMost: loadWaitS, for: "Core ML's plan of the model") {
            let plan = try await MLComputePlan.load(
                contentsOf: url, configuration: configuration(unit, entry, wishes))
            return operations(of: plan, entry: entry)
        }
    }

    private func requirePossible(_ request: ModelRequest) throws {
        if let delegate = request.delegate {
            throw Refused("Core ML has no delegates, and the job asks for \(delegate).")
        }
        if let lack = lack(of: request.unit) {
            throw Refused("The \(request.unit.word) cannot be had: \(lack).")
        }
        if request.threads != 1 {
            throw Refused(
                "The job asks for \(request.threads) threads, and Core ML takes no number of "
                    + "threads; write the job with 1.")
        }
        if request.entry == nil { return }
        guard #available(iOS 18, *) else {
            throw Refused(
                "The job has networks in one file, which Core ML opens from iOS 18 on; write a "
                    + "job with one network.")
        }
    }
}

/// The units of a device: Core ML tells whether there is a Neural Engine from iOS 17 on.
private var coreMLUnits: [ComputeUnit: String?] {
    var units: [ComputeUnit: String?] = [.cpu: nil, .gpu: nil, .npu: nil, .all: nil]
    guard #available(iOS 17, *) else { return units }
    let hasEngine = MLComputeDevice.allComputeDevices.contains { device in
        if case .neuralEngine = device { return true }
        return false
    }
    if !hasEngine { units[.npu] = .some("this device has no Neural Engine") }
    return units
}

private func configuration(
    _ unit: ComputeUnit, _ entry: String?, _ wishes: CoreMLWishes
) -> MLModelConfiguration {
    let configuration = MLModelConfiguration()
    configuration.computeUnits =
        switch unit {
        case .cpu: .cpuOnly
        case .gpu: .cpuAndGPU
        case .npu: .cpuAndNeuralEngine
        case .all: .all
        }
    if #available(iOS 17.4, *), wishes.infrequentReshapes {
        configuration.optimizationHints.reshapeFrequency = .infrequent
    }
    if #available(iOS 18, *) {
        if wishes.fastPrediction {
            configuration.optimizationHints.specializationStrategy = .fastPrediction
        }
        if let entry { configuration.functionName = entry }
    }
    return configuration
}
