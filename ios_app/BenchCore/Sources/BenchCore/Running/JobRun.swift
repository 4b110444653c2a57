/// Does one job in the way of the contract: from its folder to the journal in it.
///
/// `mobilebench job run` does the same on a computer, in the same order. Used by one thread; only
/// `stopping` and the events of the place are for others too.
public final class JobRun {
    private let given: JobFolder
    private let runtime: any Runtime
    private let place: any Place
    private let stopping: StopRequest
    private let observer: any RunObserver

    public init(
        _ given: JobFolder, _ runtime: any Runtime, _ place: any Place,
        stopping: StopRequest = StopRequest(), observer: any RunObserver = Unobserved()
    ) {
        self.given = given
        self.runtime = runtime
        self.place = place
        self.stopping = stopping
        self.observer = observer
    }

    private var job: Job { given.job }

    /// Measure, or go on with the round that had not ended; return what failed.
    ///
    /// A run that was stopped has no end in its journal, so another one can go on. Of a job that was
    /// measured to its end, and lacks only its record, nothing is measured again. Throws `Refused`
    /// and `DocumentRefused` for a job that cannot be done here, before anything is measured, and
    /// `JournalFailed` where the journal cannot be written.
    public func run() throws -> Failure? {
        observer.stage(.checkingFiles)
        try given.requireFiles()
        try requireAble()
        try job.requirePossible()
        let opened = try openJournal(given.journalFile, jobSha256: given.document.sha256)
        if let earlier = opened.earlier, earlier.ended {
            try opened.writer.close()
            return try done(earlier)
        }
        let measuring = Measuring(
            given, runtime, place, stopping, observer, opened.writer, opened.earlier)
        let failure: Failure?
        do {
            failure = try measuring.run()
        } catch {
            // The first error says more than that of the closing.
            try? opened.writer.close()
            throw error
        }
        try opened.writer.close()
        return failure
    }

    /// Return how a job ended that lacks its record, as where the storage was full then.
    private func done(_ earlier: Journal) throws -> Failure? {
        if isThere(given.recordFile) {
            let name = given.folder.lastPathComponent
            throw Refused("The job in \(name) is done; write a new folder.")
        }
        observer.ended(earlier.end?.failure)
        return earlier.end?.failure
    }

    /// Require what the job asks of the device: its runtime, its files, its unit, and no upload.
    private func requireAble() throws {
        guard runtime.name == job.runtime, runtime.format == job.format else {
            throw Refused(
                "The job asks for \(job.runtime) and a file of the format \(job.format.word), and "
                    + "this is \(runtime.name), which takes \(runtime.format.word).")
        }
        if job.uploadUrl != nil {
            throw Refused(
                "The job asks for an upload, and this app keeps its record; write the job without "
                    + "it.")
        }
        let models = [job.modelFile] + job.variants.map(\.modelFile)
        if let other = models.first(where: { !runtime.takes($0) }) {
            let endings = (runtime.endings ?? []).map { ".\($0)" }.joined(separator: " or ")
            throw Refused(
                "The job asks \(runtime.name) for \(other), and it takes files that end in "
                    + "\(endings); write the job for another runtime, or with such a file.")
        }
        if let lack = runtime.lack(of: job.computeUnit) {
            throw Refused(
                "The job asks \(job.runtime) for the \(job.computeUnit.word): \(lack).")
        }
    }
}

/// One process's share of a job: what it adds to the journal.
private final class Measuring {
    private let given: JobFolder
    private let runtime: any Runtime
    private let place: any Place
    private let stopping: StopRequest
    private let observer: any RunObserver
    private let writer: JournalWriter
    private let earlier: Journal?
    private let networks: Networks
    private var isFirstLoad = true
    private var isPlacementTold = false
    private var originNs = 0

    init(
        _ given: JobFolder, _ runtime: any Runtime, _ place: any Place, _ stopping: StopRequest,
        _ observer: any RunObserver, _ writer: JournalWriter, _ earlier: Journal?
    ) {
        self.given = given
        self.runtime = runtime
        self.place = place
        self.stopping = stopping
        self.observer = observer
        self.writer = writer
        self.earlier = earlier
        networks = Networks(given, runtime)
    }

    private var job: Job { given.job }

    func run() throws -> Failure? {
        let start = start()
        try writer.add(Line(start: start, scheduling: [scheduling(start.tNs)]))
        originNs = place.instruments.nowNs() - start.tNs
        let attempt = try attempt(start)
        networks.close()
        if attempt.isStoppedByUser {
            observer.stage(.ended)
            return nil
        }
        try writer.add(last(attempt))
        observer.ended(attempt.failure)
        return attempt.failure
    }

    private func start() -> Start {
        let created = utc()
        let tNs = earlier?.resumedAtNs(created) ?? 0
        var before = place.state()
        before.tNs = tNs
        return Start(
            jobSha256: given.document.sha256,
            created: created,
            tNs: tNs,
            round: earlier?.nextRound ?? 0,
            device: place.device(),
            runtime: RuntimeInfo(
                name: runtime.name,
                version: runtime.version,
                computeUnitRequested: job.computeUnit,
                computeUnitEvidence: job.computeUnit == .cpu ? .confirmed : .unknown,
                delegate: job.delegate,
                threads: job.threads,
                settings: runtime.settings),
            application: place.application,
            before: before,
            beforeLoadBytes: place.residentBytes)
    }

    /// Check the outputs and run the protocol, or what is left of it.
    private func attempt(_ start: Start) throws -> Attempt {
        do {
            if let parity = job.parity { try check(parity) }
            observer.stage(.measuring)
            // Drawn once, before the clock of a load runs: drawing takes longer than some loads.
            let inputs = noise(job.inputs, seed: job.seed)
            let load = { [networks] in try atLoad { try networks.load(inputs) } }
            originNs = place.instruments.nowNs() - start.tNs
            let course = try course(start)
            let ending = try runProtocol(
                job.benchProtocol, load: load, instruments: place.instruments, course: course)
            return Attempt(stop: ending.limit, isStoppedByUser: ending.asked != nil)
        } catch let error as JournalFailed {
            throw error
        } catch let error as KeptNothing {
            if error.loss is JournalFailed { throw error.loss }
            return Attempt(failure: failure(.run, error.cause))
        } catch let error as LoadFailed {
            return Attempt(failure: failure(.load, error.reason))
        } catch {
            return Attempt(failure: failure(.run, error))
        }
    }

    private func course(_ start: Start) throws -> Course {
        var course = Course(
            limits: job.limits,
            everyNs: job.reporting.everyNs,
            firstRound: start.round,
            tNs: start.tNs,
            several: try job.several(select: networks.select),
            events: place.events,
            stopping: stopping,
            keep: keep)
        course.beforeLoad = { [self] in try about(to: .loading) }
        course.afterLoad = { [self] in try about(to: .measuring) }
        return course
    }

    /// What may end the process comes after the journal is on the disk.
    private func about(to reach: Reached) throws {
        try writer.flush()
        observer.reached(reach)
    }

    /// Write what came since the part before.
    private func keep(_ part: Part) throws {
        let isFirstEver = networks.isFirstEver
        let loads = part.loadNs.map { Load(kind: kindOfLoad(isFirstEver: isFirstEver), ns: $0) }
        let scheduling = part.roundEnded == nil ? [] : [scheduling(now)]
        if !loads.isEmpty { try tell(networks.placement) }
        try writer.add(
            Line(
                part, loads: loads, peakBytes: place.peakBytes, power: power(),
                scheduling: scheduling))
        observer.part(part)
        // Before the next load, which is timed.
        if part.roundEnded != nil { networks.close() }
    }

    /// Write the plan of the runtime, once.
    private func tell(_ placement: [PlacedOperation]?) throws {
        guard !isPlacementTold, let placement else { return }
        isPlacementTold = true
        try writer.add(Line(placement: placement))
    }

    private func check(_ parity: ParityCheck) throws {
        observer.stage(.checkingOutputs)
        let units = try UnitCheck(parity, of: given, networks, place.instruments)
        try check(job.computeUnit, units, isTimed: false)
        if job.computeUnit == .cpu || runtime.lack(of: .cpu) != nil { return }
        try check(.cpu, units, isTimed: true)
    }

    /// Check one unit; its model is let go before the next one is loaded.
    private func check(_ unit: ComputeUnit, _ units: UnitCheck, isTimed: Bool) throws {
        try about(to: .started)
        let checked = try atLoad { try units.load(unit) }
        try about(to: .checking)
        let parity = try units.parity(checked.model, unit)
        if isTimed {
            let timing = try units.time(onCpu: checked.model)
            try writer.add(Line(parity: [parity], unitTimings: [timing]))
            return
        }
        let kind = kindOfLoad(isFirstEver: checked.model.isFirstEver)
        try writer.add(Line(parity: [parity], loads: [Load(kind: kind, ns: checked.loadNs)]))
        try tell(checked.model.placement)
    }

    private func last(_ attempt: Attempt) -> Line {
        let tNs = now
        var after = place.state()
        after.tNs = tNs
        return Line(
            events: place.events.take(),
            power: power(),
            scheduling: [scheduling(tNs)],
            end: End(after: after, stopped: attempt.stop, failure: attempt.failure))
    }

    private func kindOfLoad(isFirstEver: Bool) -> LoadKind {
        defer { isFirstLoad = false }
        if !isFirstLoad { return .warm }
        if isFirstEver { return .firstEver }
        return earlier == nil ? .first : .cold
    }

    private var now: Int { place.instruments.nowNs() - originNs }

    private func scheduling(_ tNs: Int) -> Scheduling {
        var scheduling = place.scheduling()
        scheduling.tNs = tNs
        return scheduling
    }

    private func power() -> Power? {
        guard var power = place.power() else { return nil }
        for index in power.readings.indices {
            power.readings[index].tNs = max(0, power.readings[index].tNs - originNs)
        }
        return power
    }
}

/// What came of measuring.
private struct Attempt {
    var stop: Stop?
    var failure: Failure?
    var isStoppedByUser = false
}

/// A failure of a load.
private struct LoadFailed: Error {
    let reason: any Error
}

private func atLoad<Result>(_ load: () throws -> Result) throws -> Result {
    do {
        return try load()
    } catch {
        throw LoadFailed(reason: error)
    }
}

private func failure(_ stage: Stage, _ error: any Error) -> Failure {
    Failure(stage: stage, error: "\(type(of: error))", message: words(of: error))
}

extension RunObserver {
    fileprivate func ended(_ failure: Failure?) { stage(failure == nil ? .ended : .failed) }
}
