import BenchCore
import Combine
import Foundation
import UIKit

/// The run of this launch: one job, on a thread by itself, and what of it waits to be shown.
///
/// Where the protocol reads no sensors between inferences, the page stands still while it measures;
/// else it changes once a second.
@MainActor
final class CurrentRun: ObservableObject {
    @Published private(set) var page: LiveScreen
    @Published private(set) var shown: RunSoFar

    let given: JobFolder
    private let events = EventLog()
    private let stopping = StopRequest()
    private let sensors = IPhoneSensors()
    private let front = Front()
    private let finished = DispatchSemaphore(value: 0)
    private let wishes: RunWishes
    private var soFar: RunSoFar
    private var end: RunEnd?
    private var watch: Watch?
    private var feed: RunFeed?
    private var ticking: Task<Void, Never>?
    /// Called when the run has ended and its record is written.
    private let over: @MainActor () -> Void

    init(_ folder: URL, _ wishes: RunWishes, over: @escaping @MainActor () -> Void) throws {
        given = try readJobFolder(folder)
        self.wishes = wishes
        self.over = over
        soFar = RunSoFar(given.job.benchProtocol)
        shown = soFar
        page = livePage(
            title: .verbatim(folder.lastPathComponent), run: soFar, stage: .checkingFiles)
    }

    var isOver: Bool { end != nil }

    func start() throws {
        let device = try describeDevice()
        let signer = try DeviceSigner.ofThisDevice()
        let mark = try RunningMark.begin(given.folder)
        CrashMark.begin(mark)
        // The screen would lock, and the run end behind it.
        UIApplication.shared.isIdleTimerDisabled = true
        let watch = Watch(
            events, sensors, front,
            leaving: { [weak self] in self?.leaveFront() },
            tooHot: { [weak self] in self?.stop(.tooHot) })
        watch.begin()
        self.watch = watch
        let plan = keptPlan(in: given.folder, given.job, osBuild: System.osBuild)
        let feed = RunFeed(
            mark, "\(given.folder.lastPathComponent) (\(given.modelName))",
            noted: { [events, wishes, given] in
                events.add(.foreground, note: conditions(of: given.job, wishes).note)
            },
            changed: { [weak self] in Task { @MainActor in self?.show() } })
        self.feed = feed
        let measuring = Measuring(
            given: given, wishes: wishes, plan: plan,
            place: IPhonePlace(events, sensors, front, device), stopping: stopping, feed: feed,
            signer: signer)
        let thread = Thread { [weak self, finished] in
            let (end, none) = measuring.run()
            finished.signal()
            Task { @MainActor in self?.ended(end, none, mark) }
        }
        thread.name = "run"
        // The highest there is: another one would put the thread on slower cores.
        thread.qualityOfService = .userInteractive
        // Parsers of models recurse.
        thread.stackSize = 8 << 20
        thread.start()
        tick()
    }

    /// End the run after the inference that is under way.
    func stop(_ cause: StopCause = .user) {
        stopping.ask(cause.rawValue)
        show()
    }

    private var isStopping: Bool { stopping.cause != nil }

    /// Whether the job computes on the GPU, or may.
    private var usesGpu: Bool { given.job.computeUnit == .gpu || given.job.computeUnit == .all }

    /// Stop work on the GPU before the app is behind: the system ends apps that go on with it.
    ///
    /// Other runs go on; their records say that the app was not in front.
    private func leaveFront() {
        guard usesGpu, !isOver else { return }
        stopping.ask(StopCause.leftFront.rawValue)
        // The inference under way has to end before this returns. One of a second is too slow for
        // that, and a load is too; nothing more can be done for these.
        _ = finished.wait(timeout: .now() + .seconds(2))
    }

    private func ended(_ end: RunEnd, _ none: NoRecord?, _ mark: RunningMark) {
        CrashMark.end()
        mark.end(none)
        watch?.end()
        ticking?.cancel()
        UIApplication.shared.isIdleTimerDisabled = false
        self.end = end
        let isGood = end.failure == nil && none == nil
        say(given.folder.lastPathComponent, none?.sentence ?? (isGood ? "done" : "failed"))
        feed?.end(end.failure == nil ? .ended : .failed)
        show()
        over()
    }

    private func tick() {
        guard given.job.benchProtocol.drawsWhileMeasuring else { return }
        ticking = Task { [weak self] in
            while !Task.isCancelled {
                try? await Task.sleep(nanoseconds: 1_000_000_000)
                self?.show()
            }
        }
    }

    /// Take in what was measured, and show it.
    private func show() {
        guard let feed else { return }
        for part in feed.takeParts() { soFar.add(part) }
        let page = livePage(
            title: .verbatim(given.folder.lastPathComponent), run: soFar, stage: feed.stage,
            stopping: isStopping, end: end)
        if page.chart { shown = soFar }
        if page != self.page { self.page = page }
    }
}

/// What the thread of a run needs. It is handed to that thread whole.
private struct Measuring: @unchecked Sendable {
    let given: JobFolder
    let wishes: RunWishes
    let plan: Plan?
    let place: IPhonePlace
    let stopping: StopRequest
    let feed: RunFeed
    let signer: DeviceSigner

    /// Return how it ended, and why there is no record, where there is none.
    func run() -> (RunEnd, NoRecord?) {
        do {
            let runtime = try runtime(of: given.job, wishes, plan: plan)
            let run = JobRun(given, runtime, place, stopping: stopping, observer: feed)
            return try ended(run.run())
        } catch {
            return (RunEnd(failure: .verbatim(words(of: error))), NoRecord(error))
        }
    }

    /// Write the record of a run that came to its end; one that was stopped can go on later.
    private func ended(_ failure: Failure?) throws -> (RunEnd, NoRecord?) {
        if failure == nil, let cause = stopping.cause.flatMap(StopCause.init), !isWhole() {
            return (RunEnd(stopped: cause), NoRecord(.stopped, cause.sentence))
        }
        try writeRecord(given, provenance(), signer: signer)
        return (RunEnd(failure: failure.map { .verbatim("\($0.error): \($0.message)") }), nil)
    }

    private func isWhole() -> Bool {
        guard let content = try? journalContent(given.journalFile) else { return false }
        let journal = try? readJournal(content, jobSha256: given.document.sha256)
        return journal?.ended == true
    }
}

/// Return what was asked of the system for a run. Called on the thread that measures.
private func conditions(of job: Job, _ wishes: RunWishes) -> Conditions {
    var settings: [String: String] = [:]
    if wishes.coreML.fastPrediction { settings["specializationStrategy"] = "fastPrediction" }
    if wishes.coreML.infrequentReshapes { settings["reshapeFrequency"] = "infrequent" }
    settings["inputs"] =
        job.benchProtocol.preparesInside ? "made in each call" : "made before the call"
    return Conditions(
        qos: System.qos, settings: settings, pageBytes: System.pageBytes,
        availableBytes: System.availableBytes(), heartbeatS: wishes.heartbeatS)
}
