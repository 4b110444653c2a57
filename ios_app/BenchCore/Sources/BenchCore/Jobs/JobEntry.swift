import Foundation

/// Written before a run or a plan, and removed after it: who finds it saw no end.
public let runningFile = "running"

/// Files of a job's folder that this app writes, or that only the cable may bring.
let writtenHere = [recordFile, runningFile, planFile, runKeyFile, noRecordFile]

/// Where a job stands.
public enum JobState: Sendable {
    /// It can be run.
    case ready
    /// A run of it was cut off; another one can go on.
    case cutOff
    /// Its record is written.
    case done
    /// It cannot be run; the problem says why.
    case faulty
}

/// One folder with a job, or with what should be one.
public struct JobEntry: Sendable {
    public let name: String
    public let folder: URL
    public let bytes: Int
    public let state: JobState
    /// Nil where it cannot be read.
    public let job: Job?
    /// What is wrong with it, in a sentence.
    public let problem: String?
}

/// Return the jobs in a folder by name, each with what is wrong with it.
///
/// Files are looked at and not hashed: that is done before a run, for it takes seconds.
public func jobs(in folder: URL, limits: JobLimits = JobLimits()) -> [JobEntry] {
    folders(in: folder).map { jobEntry($0, limits: limits) }
}

/// Return the job in its folder, with what is wrong with it.
public func jobEntry(_ folder: URL, limits: JobLimits = JobLimits()) -> JobEntry {
    let extent = limits.extent(folder)
    let name = folder.lastPathComponent
    func entry(_ state: JobState, _ job: Job?, _ problem: String?) -> JobEntry {
        JobEntry(
            name: name, folder: folder, bytes: extent.bytes, state: state, job: job,
            problem: problem)
    }
    if !isJobName(name) {
        return entry(
            .faulty, nil,
            "The name of a job's folder has letters, digits and . _ + - alone; name it anew.")
    }
    if !isRealFile(folder.appendingPathComponent(jobFile)) {
        return entry(
            .faulty, nil,
            "The folder holds no \(jobFile), so it is not the folder of a job.")
    }
    if let problem = limits.tooLarge(extent) { return entry(.faulty, nil, problem) }
    do {
        let job = try readJobFolder(folder).job
        let problem = limits.tooMuch(job) ?? taken(job) ?? lost(folder, job)
        return entry(problem == nil ? state(folder, job) : .faulty, job, problem)
    } catch {
        return entry(.faulty, nil, words(of: error))
    }
}

/// Say which file of a job has the name of one that the app writes; it would be lost.
private func taken(_ job: Job) -> String? {
    let names = job.files.keys.sorted() + [job.reporting.journalFile]
    // Disks of Apple's systems may take upper and lower case for the same.
    let name = names.first { writtenHere.contains(($0.split(separator: "/")[0]).lowercased()) }
    return name.map {
        "The job has a file \($0), a name that this app writes itself; name it anew."
    }
}

private func lost(_ folder: URL, _ job: Job) -> String? {
    let name = job.files.keys.sorted().first {
        !FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).path)
    }
    return name.map { "The folder has lost \($0), which its job names; copy it again." }
}

private func state(_ folder: URL, _ job: Job) -> JobState {
    func has(_ name: String) -> Bool { isRealFile(folder.appendingPathComponent(name)) }
    if has(recordFile) { return .done }
    return has(job.reporting.journalFile) ? .cutOff : .ready
}
