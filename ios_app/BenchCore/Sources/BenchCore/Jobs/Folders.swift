import Foundation

/// Whether a folder is there that is not a link to another one.
func isRealFolder(_ url: URL) -> Bool { type(of: url) == .typeDirectory }

/// Whether a file is there that is not a link to another one.
func isRealFile(_ url: URL) -> Bool { type(of: url) == .typeRegular }

/// Whether there is anything of a name, also a link that leads nowhere.
func isThere(_ url: URL) -> Bool { type(of: url) != nil }

private func type(of url: URL) -> FileAttributeType? {
    // Attributes are those of the link, not of what it leads to.
    let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
    return attributes?[.type] as? FileAttributeType
}

/// Return the size of a file in bytes; 0 where it is not there.
func fileSize(_ url: URL) -> Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
    return (attributes?[.size] as? NSNumber)?.intValue ?? 0
}

/// Return the folders in a folder that are not hidden, by name.
func folders(in folder: URL) -> [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { !$0.hasPrefix(".") }.sorted()
        .map { folder.appendingPathComponent($0, isDirectory: true) }.filter(isRealFolder)
}
