import Foundation

private let piece = 1 << 20

/// Return the sha256 of a file, and of the weights in `NAME.data` beside it.
///
/// Of a folder, it is over the paths, sizes and contents of its files in the order of their paths.
/// Throws what reading a file throws.
public func contentSha256(_ file: URL) throws -> String {
    var digest = Sha256()
    if isFile(file) {
        try digest.add(file)
        let weights = URL(fileURLWithPath: file.path + ".data")
        if isFile(weights) { try digest.add(weights) }
    } else {
        for parts in try filesIn(file) {
            let part = parts.reduce(file) { $0.appendingPathComponent($1) }
            let size = try Data(contentsOf: part, options: .alwaysMapped).count
            digest.update(Array("\(parts.joined(separator: "/"))\0\(size)\0".utf8))
            try digest.add(part)
        }
    }
    return hexadecimal(digest.digest())
}

/// Return the parts of the paths of the files in a folder, compared part by part.
private func filesIn(_ folder: URL) throws -> [[String]] {
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    return paths.filter { isFile(folder.appendingPathComponent($0)) }
        .map { $0.split(separator: "/").map(String.init) }
        .sorted { $0.lexicographicallyPrecedes($1, by: precedes) }
}

/// Compare by characters as they are written, which Swift's own order does not.
private func precedes(_ one: String, _ other: String) -> Bool {
    one.unicodeScalars.lexicographicallyPrecedes(other.unicodeScalars)
}

func isFile(_ file: URL) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder)
        && !isFolder.boolValue
}

extension Sha256 {
    fileprivate mutating func add(_ file: URL) throws {
        let open = try FileHandle(forReadingFrom: file)
        defer { try? open.close() }
        while let bytes = try open.read(upToCount: piece), !bytes.isEmpty { update(bytes) }
    }
}
