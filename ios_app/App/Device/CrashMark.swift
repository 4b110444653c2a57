import BenchCore
import Darwin

/// Notes the signal that ends the process beside the job that runs, so that the next launch knows.
///
/// The handler only writes bytes that lie ready: nothing else is safe where memory may be broken.
/// What ends an app from outside (for memory, for time) sends a signal that nothing can catch.
enum CrashMark {
    static func begin(_ mark: RunningMark) {
        end()
        descriptor = open(mark.path, O_WRONLY | O_APPEND)
        // Made now: the handler must not be the first to ask for them.
        _ = (line, lineBytes)
        for number in caught { signal(number, note) }
    }

    static func end() {
        for number in caught { signal(number, SIG_DFL) }
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }
}

private let caught = [SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE]
private let prefix = Array(crashPrefix.utf8)

/// Changed while no run is under way, and read by the handler.
nonisolated(unsafe) private var descriptor: Int32 = -1

/// The line that the handler writes: the prefix, two digits, a line feed.
nonisolated(unsafe) private let line: UnsafeMutablePointer<UInt8> = {
    let line = UnsafeMutablePointer<UInt8>.allocate(capacity: prefix.count + 3)
    for (place, byte) in prefix.enumerated() { line[place] = byte }
    line[prefix.count + 2] = UInt8(ascii: "\n")
    return line
}()
private let lineBytes = crashPrefix.utf8.count + 3

private let note: @convention(c) (Int32) -> Void = { number in
    line[lineBytes - 3] = UInt8(ascii: "0") + UInt8(number / 10)
    line[lineBytes - 2] = UInt8(ascii: "0") + UInt8(number % 10)
    write(descriptor, line, lineBytes)
    // What failed is done again, and ends the process with the system's own report.
    signal(number, SIG_DFL)
}
