/// Return the list of jobs. While one runs, no other can be started.
public func jobList(_ entries: [JobEntry], running: Bool, notice: Phrase? = nil) -> ListScreen {
    ListScreen(
        title: .of(.jobs),
        empty: .of(.noJobs),
        rows: entries.map(row),
        actions: [
            Action(.importFolder, .of(.importFolder), enabled: !running),
            Action(.history, .of(.history)),
            Action(.server, .of(.server)),
        ],
        notice: notice ?? (running ? .of(.runElsewhere) : nil))
}

private func row(_ entry: JobEntry) -> Row {
    var details: [Phrase] = []
    if let job = entry.job {
        let asked = "\(job.runtime), \(job.computeUnit.word), \(job.benchProtocol.id)"
        details.append(.verbatim(asked))
        details.append(.of(.upTo, duration(job.longestNs)))
    }
    details.append(.verbatim(size(entry.bytes)))
    details.append(.of(entry.state.key))
    return Row(
        name: entry.name,
        title: .verbatim(entry.name),
        details: details,
        problem: entry.problem.map { .verbatim($0) },
        action: Action(.open, .of(.open), description: .of(.openJob, entry.name)))
}

extension JobState {
    fileprivate var key: TextKey {
        switch self {
        case .ready: .stateReady
        case .cutOff: .stateCutOff
        case .done: .stateDone
        case .faulty: .stateFaulty
        }
    }
}

/// What is known of the runtime's plan for a job.
public enum PlanState: Hashable, Sendable {
    /// The runtime has none on this system.
    case none
    case notAsked
    /// Asking for it ended the app the last time.
    case endedApp
    case known([PlacedOperation])
}

/// Return the page of a job before it runs.
///
/// `spent` is true where this launch of the app has run a job or asked for a plan: the next one
/// needs a fresh process.
public func jobPage(
    _ entry: JobEntry, running: Bool, spent: Bool = false, plan: PlanState = .none,
    notice: Phrase? = nil
) -> JobScreen {
    let isRunnable = entry.state == .ready || entry.state == .cutOff
    let isFree = isRunnable && !running && !spent
    let goesOn = entry.state == .cutOff
    var actions = [
        Action(goesOn ? .goOn : .run, .of(goesOn ? .goOn : .run), enabled: isFree)
    ]
    if plan != .none { actions.append(Action(.plan, .of(.plan), enabled: isFree)) }
    if entry.state == .done { actions.append(Action(.open, .of(.showResult))) }
    let busy: Phrase? =
        running ? .of(.runElsewhere) : isRunnable && spent ? .of(.noticeNewLaunch) : nil
    return JobScreen(
        title: .verbatim(entry.name),
        facts: facts(entry, plan),
        advice: isRunnable ? entry.job.map(advice) ?? [] : [],
        problem: notice ?? entry.problem.map { .verbatim($0) } ?? busy,
        actions: actions)
}

private func facts(_ entry: JobEntry, _ plan: PlanState) -> [Fact] {
    let bytes = Fact(.size, size(entry.bytes))
    guard let job = entry.job else { return [bytes] }
    var facts = [
        Fact(.modelFile, job.modelFile),
        Fact(.runtime, job.runtime),
        Fact(.computeUnit, job.computeUnit.word),
        Fact(.threads, "\(job.threads)"),
        Fact(.protocol, job.benchProtocol.id),
        Fact(.longest, duration(job.longestNs)),
    ]
    if job.variants.count > 1 {
        let widths = job.variants.map { plain($0.width) }.joined(separator: ", ")
        facts.append(Fact(.widths, widths))
    }
    if let plan = fact(plan, on: job.computeUnit) { facts.append(plan) }
    return facts + [bytes]
}

private func fact(_ plan: PlanState, on unit: ComputeUnit) -> Fact? {
    switch plan {
    case .none: nil
    case .notAsked: Fact(.planOf, .of(.planNotAsked))
    case .endedApp: Fact(.planOf, .of(.planEndedApp))
    case .known(let operations) where operations.isEmpty: Fact(.planOf, .of(.planNotTold))
    case .known(let operations):
        Fact(
            .planOf,
            .of(
                .planOperations, "\(operations.count)",
                "\(operations.count { $0.unit == unit })"))
    }
}

/// What a user does so that the result counts.
private func advice(_ job: Job) -> [Phrase] {
    var advice: [Phrase] = [.of(.adviceFront), .of(.adviceUnlocked), .of(.adviceAutoLock)]
    if job.benchProtocol.gate != nil { advice.append(.of(.adviceCool)) }
    if !job.benchProtocol.drawsWhileMeasuring { advice.append(.of(.adviceStill)) }
    return advice
}
