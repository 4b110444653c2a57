import Foundation

/// A job cannot be taken in; the message is a sentence for people.
public struct ImportRefused: Error, CustomStringConvertible {
    public let description: String

    init(_ sentence: String) {
        description = sentence
    }
}

private let staged = ".incoming-"

/// Copy the folder of a job into a new folder below `jobs`; return that.
///
/// It appears whole or not at all. Files that a run writes (journal, record, plan) and a run key do
/// not come in: a job from elsewhere begins anew, and waits for the user. Throws `ImportRefused`.
public func importJob(
    _ source: URL, into jobs: URL, limits: JobLimits = JobLimits()
) throws -> URL {
    let files = FileManager.default
    let target = freeFolder(in: jobs, like: source.lastPathComponent)
    let aside = jobs.appendingPathComponent(staged + target.lastPathComponent, isDirectory: true)
    try? files.removeItem(at: aside)
    defer { try? files.removeItem(at: aside) }
    do {
        try files.createDirectory(at: aside, withIntermediateDirectories: true)
        try copyFiles(source, aside, limits)
        guard isRealFile(aside.appendingPathComponent(jobFile)) else {
            throw ImportRefused(
                "What was chosen holds no \(jobFile), so it is not the folder of a job.")
        }
        for name in writtenHere + [journal(of: aside)] {
            let file = aside.appendingPathComponent(name)
            if files.fileExists(atPath: file.path) { try files.removeItem(at: file) }
        }
        try files.moveItem(at: aside, to: target)
    } catch let error as ImportRefused {
        throw error
    } catch {
        throw ImportRefused("The job cannot be copied: \(words(of: error)).")
    }
    return target
}

/// Return the journal that a job names: nothing goes on with one that came with it.
private func journal(of folder: URL) -> String {
    // A job that cannot be read is never run.
    (try? readJobFolder(folder).job.reporting.journalFile) ?? Reporting().journalFile
}

private func copyFiles(_ source: URL, _ target: URL, _ limits: JobLimits) throws {
    let files = FileManager.default
    guard let paths = files.enumerator(atPath: source.path) else {
        throw ImportRefused("What was chosen cannot be read; copy the job by cable.")
    }
    var extent = Extent(files: 0, bytes: 0)
    for case let path as String in paths {
        let from = source.appendingPathComponent(path)
        let to = target.appendingPathComponent(path)
        if isRealFolder(from) {
            try files.createDirectory(at: to, withIntermediateDirectories: true)
            continue
        }
        guard isRealFile(from) else {
            throw ImportRefused(
                "\(path) is a link or something else that is no file; nothing was taken.")
        }
        extent.files += 1
        extent.bytes += fileSize(from)
        if let sentence = limits.tooLarge(extent) { throw ImportRefused(sentence) }
        try files.copyItem(at: from, to: to)
    }
}

/// Return a folder of jobs that is named like the one asked for and does not exist yet.
private func freeFolder(in jobs: URL, like wish: String) -> URL {
    let plain = wish.map { isJobName("a\($0)") ? $0 : "-" }.drop { "._+-".contains($0) }.prefix(80)
    let name = plain.isEmpty ? "job" : String(plain)
    var folder = jobs.appendingPathComponent(name, isDirectory: true)
    var number = 2
    while FileManager.default.fileExists(atPath: folder.path) {
        folder = jobs.appendingPathComponent("\(name)-\(number)", isDirectory: true)
        number += 1
    }
    return folder
}
