import Foundation
import Testing

@testable import BenchCore

/// The network of the tests: its output is its input.
let scores = TensorSpec(name: "scores", shape: [1, 3])

/// Write the folder of a job of two short rounds, with fields put in beside those it has.
func writeJob(fields: String = "", model: String = "a model", unit: String = "cpu") throws -> URL {
    let folder = try newFolder()
    let files = FileManager.default
    let parity = folder.appendingPathComponent("parity", isDirectory: true)
    try files.createDirectory(at: parity, withIntermediateDirectories: true)
    try Data(model.utf8).write(to: folder.appendingPathComponent("model.onnx"))
    var oneTwoThree = Data()
    for value in [Float(1), 2, 3] { oneTwoThree.append(elements: value.bitPattern) }
    for name in ["inputs.bin", "expected.bin"] {
        try oneTwoThree.write(to: parity.appendingPathComponent(name))
    }
    let modelSha256 = sha256(Array(model.utf8))
    let arraySha256 = sha256(Array(oneTwoThree))
    let tensor = #"{"name": "scores", "shape": [1, 3], "dtype": "float32"}"#
    let twoRounds = """
        {"id": "test", "purpose": "tests", "rounds": 2,
        "warm_up": {"min_iterations": 2, "min_duration_ns": 0, "max_duration_ns": 1000000000},
        "inferences": 3, "min_duration_ns": 0, "max_duration_ns": 1000000000,
        "gate": {"warmest": "nominal", "poll_ns": 1000000, "max_wait_ns": 5000000}}
        """
    let check = """
        {"batches": 1, "inputs_file": "parity/inputs.bin", "inputs_sha256": "\(arraySha256)",
        "expected_file": "parity/expected.bin", "expected_sha256": "\(arraySha256)",
        "outputs": [{"tensor": \(tensor), "limit": 0.0001, "half_limit": 0.01}]}
        """
    let job = """
        {"schema_version": 2, "model_file": "model.onnx", "format": "onnx", "delegate": null,
        "model_sha256": "\(modelSha256)", "inputs": [\(tensor)], "runtime": "onnxruntime",
        "compute_unit": "\(unit)", "protocol": \(twoRounds), "parity": \(check)\(fields)}
        """
    let subject = """
        {"schema_version": 1, "model": {"name": "test", "inputs": [\(tensor)]},
        "recipe": {"format": "onnx", "precision": "fp32", "target": "opset20", "delegate": null,
        "form": "deployed", "calibration": null},
        "artifact": {"key": "\(String(repeating: "e5", count: 32))", "sha256": "\(modelSha256)",
        "size_bytes": 7, "tool_versions": {}, "preflight": null, "parity": [],
        "op_histogram": {}, "structure": {}, "export_seconds": null}}
        """
    try Data(job.utf8).write(to: folder.appendingPathComponent(jobFile))
    try Data(subject.utf8).write(to: folder.appendingPathComponent(subjectFile))
    return folder
}

/// Make a folder that no other test has.
func newFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("bench-\(UUID().uuidString)", isDirectory: true)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
}

/// A place whose time passes in inferences, waits and loads. Used by one thread.
final class PlayedPlace: Place, Instruments, @unchecked Sendable {
    let events = EventLog()
    let application: Application? = Application(name: "mobilebench", version: "1", build: .release)
    let residentBytes = 50_000_000
    let peakBytes = 60_000_000
    private var now = 0
    private var batteries: [PowerReading] = []

    var instruments: any Instruments { self }

    func pass(_ nanoseconds: Int = 1_000_000) { now += nanoseconds }

    func nowNs() -> Int { now }

    func waitNs(_ nanoseconds: Int) { pass(nanoseconds) }

    func sense() -> DeviceState {
        batteries.append(PowerReading(tNs: now, level: 0.5))
        return state()
    }

    func state() -> DeviceState { DeviceState(tNs: now, batteryFraction: 0.5) }

    func device() -> Device {
        Device(id: "test", kind: .simulated, model: "test", os: "none", osVersion: "0", cores: 8)
    }

    func scheduling() -> Scheduling { Scheduling(tNs: 0, foreground: true, screenOn: true) }

    func power() -> Power? {
        defer { batteries = [] }
        return batteries.isEmpty ? nil : Power(readings: batteries)
    }
}

/// A runtime whose models echo their input, until one is told to fail.
final class PlayedRuntime: Runtime {
    let name = "onnxruntime"
    let version = "test"
    let format = Format.onnx
    var endings: [String]?
    let settings = ["spinning": "0"]
    let units: [ComputeUnit: String?]
    var isFirstEver = false
    /// What letting go of a model takes.
    var closeNs = 0
    var beforeRun: (Int) throws -> Void = { _ in }
    var beforeLoad: () throws -> Void = {}
    private(set) var loaded: [ModelRequest] = []
    fileprivate let place: PlayedPlace
    private var runs = 0

    init(_ place: PlayedPlace, units: [ComputeUnit: String?] = [.cpu: nil]) {
        self.place = place
        self.units = units
    }

    func load(_ request: ModelRequest) throws -> any Model {
        try beforeLoad()
        loaded.append(request)
        place.pass(7_000_000)
        return PlayedModel(self)
    }

    fileprivate func run() throws {
        runs += 1
        try beforeRun(runs)
        place.pass()
    }
}

private final class PlayedModel: Model {
    let outputs = [scores]
    let isFirstEver: Bool
    private let runtime: PlayedRuntime
    private var fed: [TensorArray] = []

    init(_ runtime: PlayedRuntime) {
        self.runtime = runtime
        isFirstEver = runtime.isFirstEver
    }

    deinit {
        runtime.place.pass(runtime.closeNs)
    }

    func feed(_ inputs: [TensorArray]) throws { fed = inputs }

    func run() throws { try runtime.run() }

    func read() throws -> [TensorArray] { fed }
}

/// Takes time whenever it hears how far a run came, as a disk does. Used by one thread.
final class SlowDisk: RunObserver, @unchecked Sendable {
    private let place: PlayedPlace
    private(set) var count = 0

    init(_ place: PlayedPlace) {
        self.place = place
    }

    func stage(_ stage: RunStage) {}
    func reached(_ reached: Reached) {
        count += 1
        place.pass(30_000_000)
    }
    func part(_ part: Part) {}
}

/// Keeps how far a run came. Used by one thread.
final class Milestones: RunObserver, @unchecked Sendable {
    private(set) var all: [Reached] = []

    func stage(_ stage: RunStage) {}
    func reached(_ reached: Reached) { all.append(reached) }
    func part(_ part: Part) {}
}

func journal(in folder: URL) throws -> Journal {
    let given = try readJobFolder(folder)
    let content = Array(try Data(contentsOf: given.journalFile))
    return try readJournal(content, jobSha256: given.document.sha256)
}

func measurement(in folder: URL) throws -> BenchCore.Measurement {
    let given = try readJobFolder(folder)
    let outcome = try journal(in: folder).outcome(given.job.benchProtocol)
    guard case .measurement(let measurement) = outcome else {
        throw ModelFailed("there is no measurement: \(outcome)")
    }
    return measurement
}
