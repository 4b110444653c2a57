import Foundation

/// How large and how long a job may be that this app runs.
public struct JobLimits: Sendable {
    public var mostBytes = 2_000_000_000
    public var mostFiles = 1_000
    public var mostNs = 3 * 3_600_000_000_000

    public init() {}

    /// Return what makes a job too long to run, in a sentence; nil where nothing does.
    func tooLong(_ job: Job) -> String? {
        if job.longestNs <= mostNs { return nil }
        return "The job may take \(duration(job.longestNs)), and this app runs jobs of up to "
            + "\(duration(mostNs)); give the job a limit of time."
    }

    /// Return what makes a folder too large, in a sentence; nil where nothing does.
    func tooLarge(_ extent: Extent) -> String? {
        if extent.files > mostFiles {
            return "The folder has more than \(mostFiles) files, so it is not the folder of one "
                + "job."
        }
        if extent.bytes > mostBytes {
            return "The folder has \(size(extent.bytes)), and this app takes jobs of up to "
                + "\(size(mostBytes))."
        }
        return nil
    }

    /// Count a folder's files and bytes. Links are not followed.
    func extent(_ folder: URL) -> Extent {
        var extent = Extent(files: 0, bytes: 0)
        guard let paths = FileManager.default.enumerator(atPath: folder.path) else {
            return extent
        }
        for case let path as String in paths {
            let file = folder.appendingPathComponent(path)
            guard isRealFile(file) else { continue }
            extent.files += 1
            extent.bytes += fileSize(file)
            if extent.files > mostFiles { break }
        }
        return extent
    }
}

/// Files and bytes in a folder; a count that is beyond a limit is not counted further.
struct Extent: Hashable {
    var files: Int
    var bytes: Int
}

extension BenchProtocol {
    /// The longest time that all rounds may take, without loading.
    public var longestNs: Int {
        // Each is below 2^53, so that their sum is no problem; the product may be.
        let gateNs = gate.map { $0.maxWaitNs + $0.pollNs } ?? 0
        let roundNs = coolDownNs + gateNs + warmUp.maxDurationNs + maxDurationNs
        let (allNs, isTooLarge) = roundNs.multipliedReportingOverflow(by: rounds)
        return isTooLarge ? .max : allNs
    }
}

extension Job {
    /// The longest time that a job may take: that of its protocol, or its own limit.
    public var longestNs: Int { min(benchProtocol.longestNs, limits.timeNs ?? .max) }
}
