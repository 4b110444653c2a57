import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// One request to the server.
public struct HttpRequest: Sendable {
    public var method: String
    /// With the query, after the address of the server.
    public var path: String
    public var headers: [String: String] = [:]
    public var body: Data?
    /// How long nothing may come before the request counts as lost.
    public var silenceS = 60

    public init(_ method: String, _ path: String) {
        self.method = method
        self.path = path
    }
}

/// What came back.
public struct HttpAnswer: Sendable {
    public let status: Int
    /// Names in small letters.
    public let headers: [String: String]
    public let body: Data

    public init(status: Int, headers: [String: String], body: Data) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// Takes the body of an answer of status 200 or 206 as it comes. One thread at a time calls it.
public protocol TakeBody: Sendable {
    func begin(_ status: Int, _ headers: [String: String]) throws
    func more(_ bytes: Data) throws
}

/// Sends requests.
public protocol Http: Sendable {
    /// Send a request; `take` gets a good body in place of the answer.
    ///
    /// Throws what the system says of the network, and what `take` throws.
    func send(_ request: HttpRequest, into take: (any TakeBody)?) async throws -> HttpAnswer
}

/// Sends requests with the system's own client.
///
/// It follows no redirection: one could lead the token to another server, or out of TLS.
public struct UrlHttp: Http {
    private let server: String

    public init(_ server: String) {
        self.server = server
    }

    public func send(
        _ request: HttpRequest, into take: (any TakeBody)?
    ) async throws -> HttpAnswer {
        guard let url = URL(string: server + request.path) else { throw URLError(.badURL) }
        var sent = URLRequest(
            url: url, cachePolicy: .reloadIgnoringLocalCacheData,
            timeoutInterval: TimeInterval(request.silenceS))
        sent.httpMethod = request.method
        sent.httpBody = request.body
        // Else some systems pack what is sent by range, and unpack it unasked.
        sent.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        for (name, value) in request.headers { sent.setValue(value, forHTTPHeaderField: name) }
        let exchange = Exchange(take)
        let session = URLSession(
            configuration: .ephemeral, delegate: exchange, delegateQueue: nil)
        // A session holds its delegate until this.
        defer { session.finishTasksAndInvalidate() }
        let task = session.dataTask(with: sent)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                exchange.begin(continuation)
                task.resume()
            }
        } onCancel: {
            task.cancel()
        }
    }
}

/// One request with its answer, as the system tells of them. All calls are on one queue.
private final class Exchange: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    private let take: (any TakeBody)?
    private var continuation: CheckedContinuation<HttpAnswer, any Error>?
    private var status = 0
    private var headers: [String: String] = [:]
    private var body = Data()
    private var problem: (any Error)?

    private static let mostBytes = 4 << 20

    init(_ take: (any TakeBody)?) {
        self.take = take
    }

    /// Called before the task begins.
    func begin(_ continuation: CheckedContinuation<HttpAnswer, any Error>) {
        self.continuation = continuation
    }

    private var isTaken: Bool { take != nil && (status == 200 || status == 206) }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        if problem != nil { return }
        let goesOn = trying {
            try read(dataTask.response)
            if isTaken { return try take?.more(data) ?? () }
            body.append(data)
            if body.count > Self.mostBytes { throw URLError(.dataLengthExceedsMaximum) }
        }
        if !goesOn { dataTask.cancel() }
    }

    #if canImport(FoundationNetworking)
        func urlSession(
            _ session: URLSession, task: URLSessionTask,
            willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
            completionHandler: @escaping (URLRequest?) -> Void
        ) {
            completionHandler(nil)
        }
    #else
        func urlSession(
            _ session: URLSession, task: URLSessionTask,
            willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest
        ) async -> URLRequest? { nil }
    #endif

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
    ) {
        let continuation = continuation
        self.continuation = nil
        if problem == nil, error == nil { _ = trying { try read(task.response) } }
        if let error = problem ?? error {
            continuation?.resume(throwing: error)
        } else {
            continuation?.resume(
                returning: HttpAnswer(status: status, headers: headers, body: body))
        }
    }

    /// Read the head of the answer, once.
    private func read(_ response: URLResponse?) throws {
        if status != 0 { return }
        guard let answer = response as? HTTPURLResponse else { throw URLError(.badServerResponse) }
        status = answer.statusCode
        for (name, value) in answer.allHeaderFields {
            headers["\(name)".lowercased()] = "\(value)"
        }
        if isTaken { try take?.begin(status, headers) }
    }

    private func trying(_ act: () throws -> Void) -> Bool {
        do {
            try act()
            return true
        } catch {
            problem = error
            return false
        }
    }
}
