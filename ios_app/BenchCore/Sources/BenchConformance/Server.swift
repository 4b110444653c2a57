import BenchCore
import Foundation

/// Works for a server as the app does, on a simulated phone, on Linux.
///
/// The arguments are a folder that it keeps everything in, then one of
/// `enrol TEXT`, with the text of a QR code,
/// `code SERVER CODE`, and
/// `work WORD... [latency_ms=N] [wait_s=N]`, until a step has come to one of the words.
/// It prints what happens as JSON, one object on each line.
struct SimulatedPhone: ServerHost {
    private let folder: URL
    private let endings: Set<String>
    private let latencyMs: Int
    private let received: @Sendable () -> Int

    static func main(_ arguments: [String]) async -> Int32 {
        #if os(Linux)
            do {
                let folder = URL(fileURLWithPath: arguments[0], isDirectory: true)
                switch arguments[1] {
                case "enrol": try await enrol(folder, readInvitation(arguments[2]))
                case "code":
                    let (server, code) = (arguments[2], arguments[3])
                    try await enrol(folder, Invitation(server: server, code: code))
                default: await work(folder, Array(arguments.dropFirst(2)))
                }
                return 0
            } catch let error as NotAnInvitation {
                say([("refused", error.description)])
                return 2
            } catch let error as ServerRefused {
                say([("refused", error.description), ("code", error.code)])
                return 2
            } catch {
                say([("away", words(of: error))])
                return 1
            }
        #else
            return 2
        #endif
    }

    func awaitTurn() async -> Bool { true }

    func measure(_ entry: QueueEntry) async {
        #if os(Linux)
            let place = folder.appendingPathComponent("jobs/\(entry.folder)", isDirectory: true)
            let (key, latencyMs) = (folder.appendingPathComponent("key"), latencyMs)
            // A thread that is none of the tasks', as in the app.
            await withCheckedContinuation { continuation in
                let thread = Thread {
                    run(place, key, latencyMs)
                    continuation.resume()
                }
                thread.stackSize = 8 << 20
                thread.start()
            }
        #endif
    }

    func show(_ status: ServerStatus) async {
        say([("doing", status.doing.rawValue), ("sentence", status.sentence)], status.waitMs)
        if endings.contains(status.doing.rawValue) { exit(0) }
    }

    func stepped(_ step: Step) async -> Bool {
        say([
            ("step", step.kind.rawValue), ("job", step.entry?.job),
            ("folder", step.entry?.folder), ("sentence", step.sentence),
            ("received_bytes", "\(received())"),
        ])
        return !endings.contains(step.kind.rawValue)
    }
}

private func say(_ fields: [(String, String?)], _ waitMs: Int? = nil) {
    var line = JsonObject(fields.compactMap { name, value in value.map { (name, .text($0)) } })
    if let waitMs { line["wait_ms"] = .int(waitMs) }
    FileHandle.standardOutput.write(Data("\(line.text)\n".utf8))
}

#if os(Linux)
    extension SimulatedPhone {
        private static func enrol(_ folder: URL, _ invitation: Invitation) async throws {
            let client = ServerClient(
                UrlHttp(invitation.server), server: invitation.server, deflate: deflated)
            let signer = try signer(folder.appendingPathComponent("key"))
            let (enrolment, token) = try await client.enrol(invitation.code, signer, device)
            try TokenFile(folder.appendingPathComponent("token")).write(token)
            try EnrolmentFile(folder.appendingPathComponent("enrolment.json")).write(enrolment)
            say([
                ("enrolled", enrolment.device),
                ("scopes", enrolment.scopes.joined(separator: " ")),
            ])
        }

        private static func work(_ folder: URL, _ arguments: [String]) async {
            let enrolments = EnrolmentFile(folder.appendingPathComponent("enrolment.json"))
            guard let enrolment = enrolments.read() else { preconditionFailure("enrol first") }
            var options: [String: Int] = [:]
            for argument in arguments where argument.contains("=") {
                let parts = argument.split(separator: "=")
                options[String(parts[0])] = Int(parts[1])
            }
            let token = TokenFile(folder.appendingPathComponent("token")).read()
            let client = ServerClient(
                UrlHttp(enrolment.server), server: enrolment.server, token: token,
                deflate: deflated)
            let jobs = folder.appendingPathComponent("jobs", isDirectory: true)
            try? FileManager.default.createDirectory(at: jobs, withIntermediateDirectories: true)
            let queue = Queue(folder.appendingPathComponent("queue.json"))
            let work = ServerWork(client, queue, jobs: jobs, waitS: options["wait_s"] ?? 25)
            let phone = SimulatedPhone(
                folder: folder, endings: Set(arguments.filter { !$0.contains("=") }),
                latencyMs: options["latency_ms"] ?? 1,
                received: { work.downloads.receivedBytes })
            await workForServer(work, client, phone)
        }
    }

    private func signer(_ file: URL) throws -> OpenSslSigner {
        if let text = try? String(contentsOf: file, encoding: .utf8),
            let key = bytes(hexadecimal: text)
        {
            return OpenSslSigner(key)
        }
        let key = (0..<32).map { _ in UInt8.random(in: 0...255) }
        try Data(hexadecimal(key).utf8).write(to: file)
        return OpenSslSigner(key)
    }

    /// Measure a job and write its record, or why there is none.
    private func run(_ folder: URL, _ key: URL, _ latencyMs: Int) {
        do {
            let mark = try RunningMark.begin(folder)
            do {
                let given = try readJobFolder(folder)
                let run = JobRun(given, SleepingRuntime(latencyMs), SimulatedPlace())
                _ = try run.run()
                let provenance = Provenance(harnessVersion: "test", transport: "server")
                try writeRecord(given, provenance, signer: signer(key))
                mark.end()
            } catch {
                mark.end(NoRecord(error))
            }
        } catch {
            tell(folder, NoRecord(.notWritten, words(of: error)))
        }
    }

    private let device = Device(
        id: "simulated", kind: .simulated, model: "Simulated Phone", soc: "none",
        os: "Simulated", osVersion: "1", osBuild: "SIM.1", cores: 8)

    /// The clock of this computer, and sensors that say that it is cool.
    private final class SimulatedPlace: Place, Instruments {
        let events = EventLog()
        let application: Application? = Application(
            name: "mobilebench", version: "test", build: .release)
        let residentBytes = 50_000_000
        let peakBytes = 60_000_000

        var instruments: any Instruments { self }

        func nowNs() -> Int { Int(DispatchTime.now().uptimeNanoseconds) }

        func waitNs(_ nanoseconds: Int) { usleep(UInt32(nanoseconds / 1_000 + 1)) }

        func sense() -> DeviceState { state() }

        func state() -> DeviceState { DeviceState(tNs: nowNs(), thermal: .nominal) }

        func device() -> Device { mobileDevice }

        func scheduling() -> Scheduling { Scheduling(tNs: 0, foreground: true, screenOn: true) }

        func power() -> Power? { nil }
    }

    private let mobileDevice = device

    /// A library whose models take a given time and give back their inputs.
    private struct SleepingRuntime: Runtime {
        let name = "onnxruntime"
        let version = "simulated"
        let format = Format.onnx
        let units: [ComputeUnit: String?] = [.cpu: nil]
        private let latencyMs: Int

        init(_ latencyMs: Int) {
            self.latencyMs = latencyMs
        }

        func load(_ request: ModelRequest) throws -> any Model {
            SleepingModel(request.inputs, latencyMs)
        }
    }

    private final class SleepingModel: Model {
        let outputs: [TensorSpec]
        private let latencyMs: Int
        private var fed: [TensorArray] = []

        init(_ outputs: [TensorSpec], _ latencyMs: Int) {
            self.outputs = outputs
            self.latencyMs = latencyMs
        }

        func feed(_ inputs: [TensorArray]) throws { fed = inputs }

        func run() throws { usleep(UInt32(latencyMs) * 1_000) }

        func read() throws -> [TensorArray] { fed }
    }

    private typealias Compress = @convention(c) (
        UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<UInt>, UnsafePointer<UInt8>, UInt, Int32
    ) -> Int32

    /// Pack by the zlib that is there; the app does by Foundation.
    @Sendable private func deflated(_ content: [UInt8]) throws -> [UInt8] {
        guard let library = dlopen("libz.so.1", RTLD_NOW), let symbol = dlsym(library, "compress2")
        else { throw Refused("there is no libz.so.1") }
        let compress = unsafeBitCast(symbol, to: Compress.self)
        var packed = [UInt8](repeating: 0, count: content.count + content.count / 100 + 100)
        var count = UInt(packed.count)
        guard compress(&packed, &count, content, UInt(content.count), 6) == 0 else {
            throw Refused("zlib does not pack it")
        }
        // Between the header and the checksum of RFC 1950.
        return Array(packed[2..<Int(count) - 4])
    }
#endif
