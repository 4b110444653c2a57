import Foundation

@testable import BenchCore

/// A model file of nine bytes, and documents about it.
enum Example {
    static let model = Array("not a net".utf8)
    static let modelSha256 = sha256(model)

    static func jobText(_ more: String = "") -> String {
        """
        {"schema_version": 2, "model_file": "model.onnx", "model_sha256": "\(modelSha256)",
         "format": "onnx", "delegate": null, "runtime": "onnxruntime",
         "inputs": [{"name": "image", "shape": [1, 3, 8, 8]}],
         "protocol": {"id": "example", "purpose": "tests", "rounds": 2, "inferences": 2,
           "min_duration_ns": 0, "max_duration_ns": 1000000000, "gate": {},
           "warm_up": {"min_iterations": 1, "min_duration_ns": 0, "max_duration_ns": 1000000000}}
         \(more)}
        """
    }

    static func subjectText(_ fileSha256: String = modelSha256) -> String {
        """
        {"schema_version": 1,
         "model": {"name": "example", "inputs": [{"name": "image", "shape": [1, 3, 8, 8]}]},
         "recipe": {"format": "onnx", "target": "opset20"},
         "artifact": {"key": "\(String(repeating: "e5", count: 32))", "sha256": "\(fileSha256)",
           "size_bytes": 9, "tool_versions": {"onnx": "1.0"}, "preflight": null, "parity": [],
           "op_histogram": {"Conv": 3}, "structure": {"opset": "20"}, "export_seconds": 0.5}}
        """
    }

    static func readJob(_ more: String = "") throws -> JobDocument {
        try JobDocument(jobText(more).utf8)
    }

    static let jobSha256 = sha256(jobText().utf8)
    static let runtime = RuntimeInfo(
        name: "onnxruntime", version: "1.0", computeUnitRequested: .cpu,
        computeUnitEvidence: .confirmed, delegate: nil, threads: 1
    )
    static let device = Device(
        id: "id", kind: .phone, model: "Phone", os: "ios", osVersion: "18.0"
    )

    static func start(tNs: Int = 0, round: Int = 0) -> Start {
        Start(
            jobSha256: jobSha256,
            created: "2026-01-02T03:04:05.678Z",
            tNs: tNs,
            round: round,
            device: device,
            runtime: runtime,
            before: DeviceState(tNs: tNs, thermal: .nominal, temperaturesC: ["skin": 30.5]),
            beforeLoadBytes: 50_000_000
        )
    }

    /// Return a line with a warm-up and a measured sample of a round that begins at a time.
    static func round(
        _ round: Int, tNs: Int, ended: Bool = true, kind: LoadKind = .warm
    ) -> Line {
        Line(
            loads: [Load(kind: kind, ns: 3_000_000)],
            gates: [GateLog(waitedNs: 0, start: .nominal, open: true)],
            samples: Samples(
                tNs: [tNs, tNs + 2_000_000],
                latencyNs: [1_000_000, 1_000_001 + round],
                phase: [.warmUp, .measured],
                round: [round, round]
            ),
            states: [DeviceState(tNs: tNs, thermal: .nominal)],
            peakBytes: 80_000_000,
            roundEnded: ended ? round : nil
        )
    }

    /// Return lines as the bytes of a journal.
    static func journal(_ lines: [Line]) -> [UInt8] {
        lines.enumerated().flatMap { number, line in
            Array((line.json(number: number).text + "\n").utf8)
        }
    }

    /// Write the folder of the example's job.
    static func writeJobFolder(_ folder: URL, job: String = jobText()) throws {
        try Data(job.utf8).write(to: folder.appendingPathComponent("job.json"))
        try Data(subjectText().utf8).write(to: folder.appendingPathComponent("subject.json"))
        try Data(model).write(to: folder.appendingPathComponent("model.onnx"))
    }
}

/// A folder that is there for as long as this is.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory
            .appendingPathComponent("mobilebench-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    /// Write a file in it, with the folders around it.
    @discardableResult
    func write(_ name: String, _ content: some Sequence<UInt8>) throws -> URL {
        let file = url.appendingPathComponent(name)
        let folder = file.deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(content).write(to: file)
        return file
    }
}

/// Return the error of one kind that something throws.
func thrown<Failing: Error>(_ type: Failing.Type, _ act: () throws -> Void) throws -> Failing {
    do {
        try act()
    } catch let error as Failing {
        return error
    }
    throw Refused("nothing was thrown")
}

/// Return the sentence that a document is refused with.
func refusal(_ act: () throws -> Void) throws -> String {
    try thrown(DocumentRefused.self, act).message
}
