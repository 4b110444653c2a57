import Foundation

/// The server refused a request, and would again; the message is a sentence for people.
public struct ServerRefused: Error, CustomStringConvertible {
    public let status: Int
    public let code: String
    public let description: String
}

/// The server was not reached, is busy or is broken: another try may go well.
public struct ServerAway: Error, CustomStringConvertible {
    public let description: String
    /// What the server asked to wait.
    public let askedMs: Int?

    init(_ sentence: String, askedMs: Int? = nil) {
        description = sentence
        self.askedMs = askedMs
    }
}

/// What came cannot be written here; another try on the network would not help.
public struct NotWritten: Error, CustomStringConvertible {
    public let description: String

    init(_ sentence: String) {
        description = sentence
    }
}

/// What a device is given when it enrols.
public struct Enrolment: Hashable, Sendable {
    public let server: String
    public let device: String
    public let scopes: [String]
}

/// A file of a job, as the server names it.
public struct ServerFile: Hashable, Sendable {
    public let path: String
    public let sha256: String
    public let bytes: Int
}

/// A job that this device may do now.
public struct Lease: Hashable, Sendable {
    public let id: String
    public let job: String
    public let files: [ServerFile]
    /// How often to say that the device is still at it.
    public let heartbeatS: Int
}

/// What a server says of a record that it was sent: `added` or `there`.
public struct Submitted: Hashable, Sendable {
    public let recordId: String
    public let status: String
}

/// Talks to a server by its contract (docs/server.md).
///
/// Every call may take long, and throws `ServerRefused` or `ServerAway`.
public struct ServerClient: Sendable {
    private let http: any Http
    private let token: String?
    private let server: String
    private let deflate: Deflate

    public init(
        _ http: any Http, server: String, token: String? = nil, deflate: @escaping Deflate
    ) {
        self.http = http
        self.server = server
        self.token = token
        self.deflate = deflate
    }

    /// Enrol by a code; return the enrolment and its token. The key is pinned to this device.
    public func enrol(
        _ code: String, _ signer: any Signer, _ device: Device
    ) async throws -> (Enrolment, token: String) {
        var body = JsonObject()
        body.add("code", code)
        body.add("public_key", hexadecimal(signer.publicKey))
        let signature = try signer.sign(Array("\(proof)\(code)".utf8))
        body.add("signature", hexadecimal(signature))
        body.add("device", describe(device))
        let answer = try document(await post("/v1/enrol", body))
        let enrolment = Enrolment(
            server: server, device: try text(answer, "device"), scopes: texts(answer["scopes"]))
        return (enrolment, try text(answer, "token"))
    }

    /// What a server needs to choose jobs: no number of the device or of its owner.
    private func describe(_ device: Device) -> JsonObject {
        var fields = JsonObject()
        fields.add("model", device.model)
        fields.add("os", "\(device.os) \(device.osVersion)")
        fields.add("os_build", device.osBuild)
        fields.add("kind", device.kind.rawValue)
        fields.add("soc", device.soc)
        return fields
    }

    /// Wait for a job, at most `waitS` seconds; nil where there is none.
    public func next(waitS: Int) async throws -> Lease? {
        var request = HttpRequest("GET", "/v1/jobs/next?wait_s=\(waitS)")
        request.silenceS = waitS + patienceS
        let answer = try await send(request)
        if answer.status == noContent { return nil }
        let lease = try document(answer)
        guard case .object(let files) = lease["files"] else { throw odd("files") }
        return Lease(
            id: try text(lease, "lease"), job: try text(lease, "job"),
            files: try files.fields.map { path, file in
                guard case .object(let fields) = file else { throw odd("files") }
                return ServerFile(
                    path: path, sha256: try text(fields, "sha256"),
                    bytes: try whole(fields, "size_bytes"))
            },
            heartbeatS: max(1, try whole(lease, "heartbeat_s")))
    }

    /// Say that a job is still worked on. Throws `ServerRefused` of 410 where the lease expired.
    public func heartbeat(_ lease: String) async throws {
        _ = try await post("/v1/leases/\(named(lease))/heartbeat", JsonObject())
    }

    /// Say that a job is not done here, with a word and a sentence.
    public func giveBack(_ lease: String, _ word: String, _ sentence: String) async throws {
        let reason = trimmed(sentence).isEmpty ? "It gives no reason." : sentence
        var body = JsonObject()
        body.add("refused", word.replacingOccurrences(of: " ", with: "_"))
        body.add("sentence", String(reason.prefix(mostShown)))
        _ = try await post("/v1/leases/\(named(lease))/done", body)
    }

    /// Send a record, byte for byte as it was written; it ends the lease, which may be over.
    public func submit(_ record: [UInt8], _ lease: String) async throws -> Submitted {
        var request = HttpRequest("POST", "/v1/records")
        request.headers = [
            "Content-Type": "application/json", "Content-Encoding": "gzip",
            "Mobilebench-Lease": lease,
        ]
        request.body = Data(try gzip(record, deflate))
        let answer = try document(await send(request))
        return Submitted(
            recordId: try text(answer, "record_id"), status: try text(answer, "status"))
    }

    /// Get a file by its hash from a byte on; `take` hears whether the server began there.
    public func download(
        _ sha256: String, from: Int, into take: any TakeBody
    ) async throws {
        var request = HttpRequest("GET", "/v1/artifacts/\(try named(sha256))")
        if from > 0 { request.headers["Range"] = "bytes=\(from)-" }
        _ = try await send(request, into: take)
    }

    private func post(_ path: String, _ body: JsonObject) async throws -> HttpAnswer {
        var request = HttpRequest("POST", path)
        request.headers["Content-Type"] = "application/json"
        request.body = Data(body.text.utf8)
        return try await send(request)
    }

    private func send(
        _ request: HttpRequest, into take: (any TakeBody)? = nil
    ) async throws -> HttpAnswer {
        var request = request
        if let token { request.headers["Authorization"] = "Bearer \(token)" }
        request.headers["Accept"] = "application/json, application/problem+json"
        let answer: HttpAnswer
        do {
            answer = try await http.send(request, into: take)
        } catch let error as NotWritten {
            throw error
        } catch {
            throw ServerAway("The server \(server) is not reached: \(words(of: error)).")
        }
        if (200..<300).contains(answer.status) { return answer }
        throw refusal(answer)
    }

    private func refusal(_ answer: HttpAnswer) -> any Error {
        var problem = JsonObject()
        if case .object(let fields) = try? readJson(Array(answer.body), "the answer") {
            problem = fields
        }
        var detail = "The server \(server) answered with status \(answer.status)."
        var code = ""
        if case .text(let text) = problem["detail"] { detail = String(text.prefix(mostShown)) }
        if case .text(let text) = problem["code"] { code = text }
        guard passing.contains(answer.status) || answer.status >= 500 else {
            return ServerRefused(status: answer.status, code: code, description: detail)
        }
        // A date in place of seconds would need a clock that is right.
        let seconds = answer.headers["retry-after"].flatMap { Int(trimmed($0)) }
        let asked = seconds.flatMap { (0...mostSeconds).contains($0) ? $0 * 1_000 : nil }
        return ServerAway(detail, askedMs: asked)
    }

    private func document(_ answer: HttpAnswer) throws -> JsonObject {
        do {
            guard case .object(let fields) = try readJson(Array(answer.body), "the answer") else {
                throw odd("fields")
            }
            return fields
        } catch let error as DocumentRefused {
            throw ServerAway("The server \(server) gave no JSON: \(error.message)")
        }
    }

    private func text(_ fields: JsonObject, _ name: String) throws -> String {
        guard case .text(let value) = fields[name] else { throw odd(name) }
        return value
    }

    private func whole(_ fields: JsonObject, _ name: String) throws -> Int {
        guard case .int(let value) = fields[name] else { throw odd(name) }
        return value
    }

    private func odd(_ name: String) -> ServerAway {
        ServerAway(
            "The answer of the server \(server) has no \(name); it may be another version.")
    }

    /// Return a name that is one part of a path.
    private func named(_ name: String) throws -> String {
        let isName = name.utf8.allSatisfy { isPlain($0) || "_-".utf8.contains($0) }
        if isName, (1...100).contains(name.utf8.count) { return name }
        throw ServerAway("The server \(server) gave a name that cannot be asked for.")
    }
}

/// Return the texts of a list; none where it is no list.
func texts(_ value: Json?) -> [String] {
    guard case .list(let values) = value else { return [] }
    return values.compactMap { if case .text(let text) = $0 { text } else { nil } }
}

private let proof = "mobilebench-enrol:"
private let patienceS = 20
private let noContent = 204
/// Time out, too early, too many: of no request in itself.
private let passing: Set = [408, 425, 429]
private let mostShown = 500
private let mostSeconds = 1_000_000_000
