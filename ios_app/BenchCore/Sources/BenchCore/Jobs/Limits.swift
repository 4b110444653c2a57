import Foundation

/// How large and how long a job may be that this app runs.
public struct JobLimits: Sendable {
    public var mostBytes = 2_000_000_000
    public var mostFiles = 1_000
    public var mostNs = 3 * 3_600_000_000_000
    /// Libraries start as many as they are asked for; of too many, some hang and some abort.
    public var mostThreads = 64

    public init() {}

    /// Return what of a job is too much to run it, in a sentence; nil where nothing is.
    func tooMuch(_ job: Job) -> String? {
        if job.longestNs > mostNs {
            return "The job may take \(duration(job.longestNs)), and this app runs jobs of up to "
                + "\(duration(mostNs)); give the job a limit of time."
        }
        if job.threads > mostThreads {
            return "The job asks for \(job.threads) threads, and this app runs jobs of up to "
                + "\(mostThreads); write it with fewer."
        }
        return nil
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
        // The last frame of a round may be waited for after the round's time is up.
        let measuringNs = maxDurationNs + (intervalNs ?? 0)
        let roundNs = coolDownNs + gateNs + warmUp.maxDurationNs + measuringNs
        let (allNs, isTooLarge) = roundNs.multipliedReportingOverflow(by: rounds)
        return isTooLarge ? .max : allNs
    }

    /// The longest time that a run waits without a look at the limits.
    fileprivate var longestWaitNs: Int { max(coolDownNs, intervalNs ?? 0, gate?.pollNs ?? 0) }
}

extension Job {
    /// The longest time that a job may take: that of its protocol, or its own limit with a wait.
    public var longestNs: Int {
        min(benchProtocol.longestNs, limits.timeNs.map { $0 + benchProtocol.longestWaitNs } ?? .max)
    }
}
