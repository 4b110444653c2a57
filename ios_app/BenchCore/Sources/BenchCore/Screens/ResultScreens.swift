/// Return the list of past results.
public func historyList(_ entries: [HistoryEntry]) -> ListScreen {
    ListScreen(
        title: .of(.history),
        empty: .of(.noResults),
        rows: entries.map(row),
        actions: [Action(.jobs, .of(.jobs))],
        notice: nil)
}

private func row(_ entry: HistoryEntry) -> Row {
    guard let result = entry.result else {
        return Row(
            name: entry.name, title: .verbatim(entry.name), details: [],
            problem: .verbatim(entry.problem ?? ""), action: nil)
    }
    let title = title(result)
    let asked = result.job.map {
        Phrase.verbatim("\($0.runtime), \($0.computeUnit.word), \($0.benchProtocol.id)")
    }
    return Row(
        name: entry.name,
        title: .verbatim(title),
        details: [headline(result), asked, created(result)].compactMap { $0 },
        problem: doubtInShort(result),
        action: Action(.open, .of(.open), description: .of(.openResult, title)))
}

private func title(_ result: PastResult) -> String {
    "\(result.model) \(result.format.word) \(result.precision)"
}

private func created(_ result: PastResult) -> Phrase {
    let minutes = result.created.prefix("2026-01-02T03:04".count)
    return .of(.atUtc, String(minutes.map { $0 == "T" ? " " : $0 }))
}

private func doubtInShort(_ result: PastResult) -> Phrase? {
    guard !result.valid, let first = result.reasons.first else { return nil }
    return .of(.suspect, diagnosisPhrase(first))
}

/// The number that the protocol reports; a failure has its stage instead.
private func headline(_ result: PastResult) -> Phrase {
    switch result.outcome {
    case .failure(let failure): return .of(.failedAt, failure.stage.word)
    case .measurement(let outcome):
        guard let benchProtocol = result.job?.benchProtocol,
            let value = headlineNs(benchProtocol, outcome.samples)
        else { return .of(.tooFewSamplesForANumber) }
        let key = benchProtocol.indicative ? .indicative : benchProtocol.headline.key
        return .of(key, duration(value))
    }
}

extension Headline {
    fileprivate var key: TextKey {
        switch self {
        case .median: .headlineMedian
        case .p90: .headlineP90
        case .trimmedMean: .headlineTrimmedMean
        }
    }
}

/// Return the page of a result.
public func resultPage(_ result: PastResult) -> ResultScreen {
    let title = Phrase.verbatim(title(result))
    var facts = about(result)
    var doubts: [Phrase] = []
    var isMeasured = false
    switch result.outcome {
    case .failure(let failure): facts += failed(failure)
    case .measurement(let outcome):
        isMeasured = true
        if let job = result.job { facts += measured(job, outcome) }
        doubts = speaksAgainst(outcome, result.reasons)
    }
    let headline = headline(result)
    return ResultScreen(
        title: title,
        headline: headline,
        facts: facts,
        doubts: doubts,
        chart: isMeasured,
        actions: [Action(.share, .of(.share)), Action(.save, .of(.saveRecord))],
        shared: shared(title, headline, facts, doubts))
}

extension Job {
    /// What each frame has to keep: the aim of the policy, or the pace of the protocol.
    public var deadlineNs: Int? { policy.aim.deadlineNs ?? benchProtocol.intervalNs }
}

private func about(_ result: PastResult) -> [Fact] {
    var facts = [Fact(.device, "\(result.device), \(result.os)")]
    if let job = result.job {
        facts += [
            Fact(.runtime, job.runtime),
            Fact(.computeUnit, job.computeUnit.word),
            Fact(.threads, "\(job.threads)"),
            Fact(.protocol, job.benchProtocol.id),
        ]
    }
    return facts + [Fact(.measuredAt, created(result))]
}

private func failed(_ failure: Failure) -> [Fact] {
    var facts = [
        Fact(.stage, failure.stage.word),
        Fact(.error, "\(failure.error): \(failure.message)"),
    ]
    if let advice = failure.advice { facts.append(Fact(.whatToDo, advice)) }
    return facts
}

private func measured(_ job: Job, _ outcome: Measurement) -> [Fact] {
    var facts: [Fact] = []
    if let numbers = summarise(latenciesNs(outcome.samples)) {
        facts += [
            Fact(.samples, "\(numbers.count)"),
            Fact(.median, duration(numbers.p50Ns)),
            Fact(.percentile90, duration(numbers.p90Ns)),
            Fact(.shortest, duration(numbers.minNs)),
        ]
    }
    if let frames = deadlines(job.benchProtocol, outcome.samples) {
        facts.append(
            Fact(.framesOnTime, .of(.someOfAll, "\(frames.onTime)", "\(frames.frames)")))
    }
    facts += [
        Fact(.firstLoad, duration(outcome.loads.firstNs)),
        Fact(.memory, size(outcome.memory.peakBytes)),
        Fact(.evidence, outcome.runtime.computeUnitEvidence.word),
    ]
    return facts
        + outcome.parity.map {
            Fact(.of(.outputsOn, $0.unit.word), .of($0.passed ? .outputsAgree : .outputsDiffer))
        }
}

/// The diagnosis that the limit says more exactly.
private let stoppedEarly = "stopped early"

private func speaksAgainst(_ outcome: Measurement, _ reasons: [String]) -> [Phrase] {
    var doubts: [Phrase] = []
    switch outcome.stopped {
    case .time: doubts.append(.of(.stoppedByTime))
    case .heat: doubts.append(.of(.stoppedByHeat))
    case .battery: doubts.append(.of(.stoppedByBattery))
    case nil: break
    }
    let away = absences(events: outcome.events, scheduling: outcome.scheduling)
    let void = voidRounds(outcome.samples, away)
    if !void.numbers.isEmpty {
        doubts.append(.of(.voidRounds, "\(void.numbers.count)", "\(void.rounds)"))
    }
    let others = reasons.filter { $0 != stoppedEarly || outcome.stopped == nil }
    return doubts + others.map(diagnosisPhrase)
}

private func shared(
    _ title: Phrase, _ headline: Phrase, _ facts: [Fact], _ doubts: [Phrase]
) -> Phrase {
    let lines =
        [title, headline] + facts.map { .of(.nameAndValue, $0.name, $0.value) } + doubts
        + [.of(.sharedBy)]
    return .joined(lines, between: "\n")
}
