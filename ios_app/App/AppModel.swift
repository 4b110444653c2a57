import BenchCore
import Foundation
import SwiftUI

/// A page beside the list of jobs.
enum Route: Hashable {
    case history
    case server
    case job(String)
    case result(String)
}

/// What a result page shows.
struct ShownResult {
    let screen: ResultScreen
    let run: RunSoFar?
    let deadlineNs: Int?
    let record: URL
}

/// The pages of the app, and what is done from them.
@MainActor
final class AppModel: ObservableObject {
    @Published var path: [Route] = []
    @Published private(set) var notice: Phrase?
    @Published private(set) var entries: [JobEntry] = []
    @Published private(set) var past: [HistoryEntry] = []
    @Published private(set) var run: CurrentRun?
    /// Whether this launch has run a job or asked for a plan: the next one needs a fresh process.
    @Published private(set) var isSpent = false
    @Published private(set) var isPlanning = false

    let words = ResourceWords()
    private let asked: Asked
    private var isAnswered = false

    init(_ arguments: [String]) {
        asked = Asked(arguments)
    }

    var isRunning: Bool { isPlanning || run?.isOver == false }

    /// Read jobs and results anew, and settle runs whose process is gone.
    ///
    /// The first screen is there before this: the system ends an app that is slow to show one.
    func refresh() async {
        if isRunning { return }
        let isFirst = !isAnswered
        isAnswered = true
        let read = await Task.detached { readJobs(settles: isFirst) }.value
        switch read {
        case .success(let jobs):
            entries = jobs.entries
            past = jobs.past
            if let left = jobs.notice { notice = left }
        case .failure(let error):
            notice = .verbatim(BenchCore.words(of: error))
        }
        if isFirst { answer() }
    }

    func list() -> ListScreen { jobList(entries, running: isRunning, notice: notice) }

    func history() -> ListScreen { historyList(past) }

    func job(_ name: String) -> JobScreen? {
        entries.first { $0.name == name }.map {
            jobPage(
                $0, running: isRunning, spent: isSpent, plan: planState($0), notice: notice)
        }
    }

    func result(_ name: String) -> ShownResult? {
        guard let result = past.first(where: { $0.name == name })?.result,
            let folder = try? jobFolder(jobsFolder(), name)
        else { return nil }
        var run: RunSoFar?
        if let job = result.job, case .measurement(let outcome) = result.outcome {
            run = RunSoFar(job, outcome)
        }
        return ShownResult(
            screen: resultPage(result), run: run, deadlineNs: result.job?.deadlineNs,
            record: folder.appendingPathComponent(recordFile))
    }

    /// Do what a button of a job's page asks for.
    func press(_ kind: ActionKind, _ name: String) {
        switch kind {
        case .run, .goOn: start(name)
        case .plan: plan(name)
        case .open: path = [.job(name), .result(name)]
        default: break
        }
    }

    /// Leave the page of a run that is over.
    func leaveRun() {
        guard let run, run.isOver else { return }
        let name = run.given.folder.lastPathComponent
        self.run = nil
        let isDone = past.contains { $0.name == name }
        path = isDone ? [.job(name), .result(name)] : [.job(name)]
    }

    /// Run a job for a server, and return when it is over, with its page left.
    func run(_ name: String, heartbeatS: Int) async {
        await refresh()
        var wishes = asked.wishes
        wishes.heartbeatS = heartbeatS
        await withCheckedContinuation { continuation in
            start(name, wishes) { continuation.resume() }
        }
        run = nil
        path = [.server]
    }

    /// Copy the folder that a user chose.
    func take(_ source: URL) async {
        notice = .of(.noticeImporting)
        let taken = await Task.detached {
            Result {
                // Without this, the folder of another app cannot be read.
                let isScoped = source.startAccessingSecurityScopedResource()
                defer { if isScoped { source.stopAccessingSecurityScopedResource() } }
                return try importJob(source, into: jobsFolder()).lastPathComponent
            }
        }.value
        switch taken {
        case .success(let name): notice = .of(.noticeImported, name)
        case .failure(let error):
            notice = .of(.noticeRefused, BenchCore.words(of: error))
        }
        await refresh()
    }

    func refuse(_ error: any Error) {
        notice = .of(.noticeRefused, BenchCore.words(of: error))
    }

    /// Open the job that the launch names, and start it where the launch has its key.
    private func answer() {
        if let problem = asked.problem { notice = .verbatim(problem) }
        guard let name = asked.job else { return }
        guard let jobs = try? jobsFolder(), let folder = jobFolder(jobs, name) else {
            notice = .of(.noticeNoSuchJob, String(name.prefix(100)))
            return
        }
        path = [.job(name)]
        guard let key = asked.key else { return }
        if !keyFits(folder, key) {
            notice = .of(.noticeKey)
            say(name, "the key does not fit, so the job waits for the user")
        } else if let problem = asked.problem ?? entries.first(where: { $0.name == name })?.problem {
            // Nobody may look at the screen.
            tell(folder, NoRecord(.refused, problem))
            say(name, problem)
        } else if asked.plan {
            plan(name)
        } else {
            start(name)
        }
    }

    private func runnable(_ name: String) -> JobEntry? {
        guard !isRunning, !isSpent, let entry = entries.first(where: { $0.name == name }),
            entry.state == .ready || entry.state == .cutOff
        else { return nil }
        return entry
    }

    private func start(_ name: String) { start(name, asked.wishes) {} }

    /// Start a run; `over` is called when it is over, or where none began.
    private func start(
        _ name: String, _ wishes: RunWishes, over: @escaping @MainActor () -> Void
    ) {
        guard let entry = runnable(name) else { return over() }
        notice = nil
        do {
            let run = try CurrentRun(entry.folder, wishes) { [weak self] in
                Task { await self?.refresh() }
                over()
            }
            isSpent = true
            try run.start()
            self.run = run
        } catch {
            tell(entry.folder, NoRecord(error))
            refuse(error)
            over()
        }
    }

    private func planState(_ entry: JobEntry) -> PlanState {
        guard let job = entry.job, job.runtime == "coreml" else { return .none }
        guard #available(iOS 17.4, *) else { return .none }
        guard let plan = keptPlan(in: entry.folder, job, osBuild: System.osBuild) else {
            return .notAsked
        }
        return plan.endedApp ? .endedApp : .known(plan.placement ?? [])
    }

    /// Ask for the plan of a job. The run that has it in its record is of another launch.
    private func plan(_ name: String) {
        guard let entry = runnable(name) else { return }
        isSpent = true
        isPlanning = true
        let wishes = asked.wishes
        Task {
            let planned = await Task.detached { Result { try keepPlan(of: entry, wishes) } }.value
            isPlanning = false
            switch planned {
            case .success: notice = .of(.noticePlanned)
            case .failure(let error):
                tell(entry.folder, NoRecord(error))
                refuse(error)
            }
            await refresh()
        }
    }
}

/// Jobs and results as they lie in their folder.
private struct ReadJobs: Sendable {
    let entries: [JobEntry]
    let past: [HistoryEntry]
    let notice: Phrase?
}

private func readJobs(settles: Bool) -> Result<ReadJobs, any Error> {
    Result {
        let folder = try jobsFolder()
        let notice = settles ? try settled(folder) : nil
        return ReadJobs(
            entries: BenchCore.jobs(in: folder), past: BenchCore.history(in: folder),
            notice: notice)
    }
}

/// Settle runs of earlier launches; return what to tell of the last one.
private func settled(_ jobs: URL) throws -> Phrase? {
    let signer = try DeviceSigner.ofThisDevice()
    var notice: Phrase?
    for folder in unsettled(in: jobs) {
        // The list of jobs says what is wrong with a folder that cannot be read.
        let left = try? aftermath(
            folder, osBuild: System.osBuild, provenance(), signer: signer)
        if let left {
            notice = .of(.noticeUnfinished, folder.lastPathComponent, left.failure.message)
        }
    }
    return notice
}

/// Ask Core ML for the plan of a job, and keep it. A mark tells the next launch of a crash.
private func keepPlan(of entry: JobEntry, _ wishes: RunWishes) throws {
    let given = try readJobFolder(entry.folder)
    try given.requireFiles()
    let mark = try RunningMark.begin(entry.folder, isPlan: true)
    CrashMark.begin(mark)
    defer {
        CrashMark.end()
        mark.end()
    }
    let runtime = try CoreMLRuntime(
        wishes: wishes.coreML, loadWaitS: wishes.loadWaitS, plan: nil)
    let job = given.job
    let first = job.variants.first
    let operations = try runtime.placedOperations(
        ModelRequest(
            file: given.modelFile, sha256: job.modelSha256, entry: first?.entry,
            inputs: job.inputs, outputs: [], unit: job.computeUnit, delegate: job.delegate,
            threads: job.threads, preparesInside: false))
    try BenchCore.keepPlan(
        Plan(
            modelSha256: job.modelSha256, entry: first?.entry, unit: job.computeUnit,
            osBuild: System.osBuild, operations: operations),
        in: entry.folder)
}

/// The words of the app, from its resources.
struct ResourceWords: Words {
    func pattern(_ key: TextKey) -> String {
        Bundle.main.localizedString(forKey: key.rawValue, value: nil, table: nil)
    }
}
