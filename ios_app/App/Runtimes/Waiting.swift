import Dispatch
import Foundation
import BenchCore

/// What another thread answers, once.
///
/// The answer is handed over whole: whoever gives it keeps nothing of it.
private final class Answer<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private let given = DispatchSemaphore(value: 0)
    private var result: Result<Value, any Error>?

    func give(_ result: Result<Value, any Error>) {
        lock.lock()
        self.result = result
        lock.unlock()
        given.signal()
    }

    func wait(seconds: Int) -> Result<Value, any Error>? {
        _ = given.wait(timeout: .now() + .seconds(seconds))
        lock.lock()
        defer { lock.unlock() }
        return result
    }
}

/// Do what only runs beside a thread, and wait for it on this one, at most for a time.
///
/// A load can take minutes and can also never end; nothing can end it but the end of the app. So
/// the run gets a failure, and the screen and the journal go on. Throws `ModelFailed`.
func waiting<Value>(
    atMost seconds: Int, for what: String,
    _ work: @escaping @Sendable () async throws -> Value
) throws -> Value {
    let answer = Answer<Value>()
    Task.detached(priority: .userInitiated) {
        do {
            answer.give(.success(try await work()))
        } catch {
            answer.give(.failure(error))
        }
    }
    guard let result = answer.wait(seconds: seconds) else {
        throw ModelFailed(
            "\(what) took longer than \(seconds) s and goes on; close the app to end it, or allow "
                + "more time with --load-wait")
    }
    do {
        return try result.get()
    } catch {
        throw ModelFailed("\(what) failed: \(words(of: error))")
    }
}
