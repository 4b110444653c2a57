import Foundation

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A file that one process at a time writes at its end, by the calls of POSIX.
final class OpenFile: Sendable {
    private let descriptor: Int32
    private let isOpen = Locked(true)

    /// A call that failed, in the system's words.
    struct Failed: Error, CustomStringConvertible {
        let code: Int32

        var description: String { String(cString: strerror(code)) }
    }

    /// Open a file to read and write; an empty one is made where there is none. Throws `Failed`.
    ///
    /// A link is not followed: what lies behind one is not of this job.
    init(_ path: String) throws {
        descriptor = try Self.checked { open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644) }
    }

    deinit {
        close()
    }

    /// Keep others from it until it is closed; false where another one has it.
    func lock() throws -> Bool {
        do {
            _ = try Self.checked { flock(descriptor, LOCK_EX | LOCK_NB) }
            return true
        } catch let failed as Failed where failed.code == EWOULDBLOCK {
            return false
        }
    }

    /// Size in bytes.
    func size() throws -> Int { try Int(Self.checked { lseek(descriptor, 0, SEEK_END) }) }

    /// Return all of it.
    func content() throws -> [UInt8] {
        let size = try size()
        var content = [UInt8](repeating: 0, count: size)
        var place = 0
        while place < size {
            let count = try content.withUnsafeMutableBytes { bytes in
                try Self.checked {
                    pread(descriptor, bytes.baseAddress! + place, size - place, off_t(place))
                }
            }
            if count == 0 { break }
            place += count
        }
        return Array(content[..<place])
    }

    /// Cut off what is behind so many bytes, and write on from there.
    func truncate(to bytes: Int) throws {
        _ = try Self.checked { ftruncate(descriptor, off_t(bytes)) }
        _ = try Self.checked { lseek(descriptor, off_t(bytes), SEEK_SET) }
    }

    /// Append bytes as a whole: the half that a full disk took is cut off again.
    func append(_ bytes: [UInt8]) throws {
        // Another file may have its number by now.
        guard isOpen.with({ $0 }) else { throw Failed(code: EBADF) }
        let whole = try Int(Self.checked { lseek(descriptor, 0, SEEK_CUR) })
        var place = 0
        do {
            while place < bytes.count {
                place += try bytes.withUnsafeBytes { bytes in
                    try Self.checked {
                        write(descriptor, bytes.baseAddress! + place, bytes.count - place)
                    }
                }
            }
        } catch {
            // Where this fails too, a reader leaves half a line out as well.
            try? truncate(to: whole)
            throw error
        }
    }

    /// Make the disk hold what was written.
    func synchronize() throws {
        #if canImport(Darwin)
            // On Apple's systems fsync leaves it in the memory of the drive.
            if fcntl(descriptor, F_FULLFSYNC) == 0 { return }
        #endif
        _ = try Self.checked { fsync(descriptor) }
    }

    /// Let go of it; what is closed already stays so.
    func close() {
        isOpen.with { isOpen in
            guard isOpen else { return }
            isOpen = false
            #if canImport(Darwin)
                _ = Darwin.close(descriptor)
            #else
                _ = Glibc.close(descriptor)
            #endif
        }
    }

    private static func checked<Count: SignedInteger>(_ call: () -> Count) throws -> Count {
        while true {
            let count = call()
            if count >= 0 { return count }
            if errno != EINTR { throw Failed(code: errno) }
        }
    }
}
