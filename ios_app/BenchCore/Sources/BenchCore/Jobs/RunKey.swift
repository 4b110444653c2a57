import Foundation

/// The file in a job's folder whose content lets a launch argument start the job at once.
public let runKeyFile = "run.key"
private let leastKey = 16
private let mostKey = 256
private let mostName = 100

/// Whether a name is one part of a path that cannot lead out of the folder of jobs.
public func isJobName(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count <= mostName else { return false }
    return isLetterOrDigit(first)
        && name.utf8.allSatisfy { isLetterOrDigit($0) || "._+-".utf8.contains($0) }
}

private func isLetterOrDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: false
    }
}

/// Return the folder of a job by its name; nil where the name is not one, or has no folder.
public func jobFolder(_ jobs: URL, _ name: String) -> URL? {
    guard isJobName(name) else { return nil }
    let folder = jobs.appendingPathComponent(name, isDirectory: true)
    return isRealFolder(folder) ? folder : nil
}

/// Whether a key is the one that lies in a job's folder.
///
/// No other app reads or writes that folder, so whoever knows the key came by the cable or is the
/// user. A key has 16 to 256 bytes; space around it does not count.
public func keyFits(_ folder: URL, _ key: String?) -> Bool {
    let file = folder.appendingPathComponent(runKeyFile)
    guard let key, fileSize(file) <= mostKey, let content = try? Data(contentsOf: file),
        let text = String(data: content, encoding: .utf8)
    else { return false }
    let kept = Array(text.trimmingCharacters(in: .whitespacesAndNewlines).utf8)
    let given = Array(key.trimmingCharacters(in: .whitespacesAndNewlines).utf8)
    guard kept.count >= leastKey, kept.count == given.count else { return false }
    // All bytes are compared, so that the time does not tell where they differ.
    return zip(kept, given).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}
