package mobilebench.core.running

import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.Failure
import mobilebench.core.documents.JobFolder
import mobilebench.core.documents.Load
import mobilebench.core.documents.LoadKind
import mobilebench.core.documents.PlacedOperation
import mobilebench.core.documents.Refused
import mobilebench.core.documents.RuntimeInfo
import mobilebench.core.documents.Stage
import mobilebench.core.documents.Stop
import mobilebench.core.documents.UnitEvidence
import mobilebench.core.engine.Course
import mobilebench.core.engine.Part
import mobilebench.core.engine.StopRequest
import mobilebench.core.engine.requirePossible
import mobilebench.core.engine.runProtocol
import mobilebench.core.engine.several
import mobilebench.core.journal.End
import mobilebench.core.journal.Journal
import mobilebench.core.journal.JournalFailed
import mobilebench.core.journal.JournalWriter
import mobilebench.core.journal.Line
import mobilebench.core.journal.Start
import mobilebench.core.journal.lineOf
import mobilebench.core.journal.openJournal
import mobilebench.core.journal.utc

/**
 * Does one job in the way of the contract: from its folder to the journal in it.
 *
 * `mobilebench job run` does the same on a computer, in the same order.
 */
class JobRun(
    private val given: JobFolder,
    private val runtime: Runtime,
    private val place: Place,
    private val observer: RunObserver = Unobserved,
) {
    private val job = given.job
    private val networks = Networks(given, runtime)
    private val stopping = StopRequest()

    /** End the run after the inference that is under way; any thread may ask. */
    fun stop() = stopping.ask("stopped by the user")

    /**
     * Measure, or go on with the round that had not ended; return what failed.
     *
     * A run that was stopped has no end in its journal, so another one can go on. Of a job that was
     * measured to its end, and lacks only its record, nothing is measured again. Throws [Refused]
     * and `DocumentRefused` for a job that cannot be done here, before anything is measured, and
     * [JournalFailed] where the journal cannot be written.
     */
    fun run(): Failure? {
        observer.stage(RunStage.CHECKING_FILES)
        given.requireFiles()
        requireAble()
        requirePossible(job)
        val opened = openJournal(given.journalFile, given.document.sha256)
        return opened.writer.use { writer ->
            val earlier = opened.earlier
            if (earlier?.ended == true) done(earlier) else Measuring(writer, earlier).run()
        }
    }

    /** Return how a job ended that lacks its record, as where the storage was full then. */
    private fun done(earlier: Journal): Failure? {
        if (given.recordFile.exists()) {
            throw Refused("The job in ${given.folder.name} is done; write a new folder.")
        }
        return earlier.end?.failure.also { ended(it) }
    }

    private fun ended(failure: Failure?) =
        observer.stage(if (failure == null) RunStage.ENDED else RunStage.FAILED)

    /** Require what the job asks of the device: its runtime, its unit, and no upload. */
    private fun requireAble() {
        if (runtime.name != job.runtime || runtime.format != job.format) {
            throw Refused(
                "The job asks for ${job.runtime} and a file of the format ${job.format.word}, and " +
                    "this is ${runtime.name}, which takes ${runtime.format.word}.",
            )
        }
        if (job.uploadUrl != null) {
            throw Refused("The job asks for an upload, and this app keeps its record; write the " +
                "job without it.")
        }
        val lack = runtime.units.getOrDefault(job.computeUnit, "it is not there") ?: return
        throw Refused("The job asks ${job.runtime} for the ${job.computeUnit.word}: $lack.")
    }

    /** One process's share of a job: what it adds to the journal. */
    private inner class Measuring(
        private val writer: JournalWriter,
        private val earlier: Journal?,
    ) {
        private var isFirstLoad = true
        private var isPlacementTold = false
        private var originNs = 0L

        fun run(): Failure? {
            val start = start()
            writer.add(Line(start = start, scheduling = listOf(scheduling(start.tNs))))
            originNs = place.instruments.nowNs() - start.tNs
            val attempt = attempt(start)
            if (attempt.isStoppedByUser) {
                observer.stage(RunStage.ENDED)
                return null
            }
            writer.add(last(attempt))
            ended(attempt.failure)
            return attempt.failure
        }

        private fun start(): Start {
            val created = utc()
            val tNs = earlier?.resumedAtNs(created) ?: 0
            val isCpu = job.computeUnit == ComputeUnit.CPU
            return Start(
                jobSha256 = given.document.sha256,
                created = created,
                tNs = tNs,
                round = earlier?.nextRound ?: 0,
                device = place.device(),
                runtime = RuntimeInfo(
                    name = runtime.name,
                    version = runtime.version,
                    computeUnitRequested = job.computeUnit,
                    computeUnitEvidence =
                        if (isCpu) UnitEvidence.CONFIRMED else UnitEvidence.UNKNOWN,
                    delegate = job.delegate,
                    threads = job.threads,
                    settings = runtime.settings,
                ),
                application = place.application,
                before = place.state().copy(tNs = tNs),
                beforeLoadBytes = place.residentBytes,
            )
        }

        /** Check the outputs and run the protocol, or what is left of it. */
        private fun attempt(start: Start): Attempt = try {
            if (job.parity != null) check()
            // Drawn once, before the clock of a load runs: drawing takes longer than some loads.
            val inputs = atLoad { noise(job.inputs, job.seed) }
            val load = { atLoad { networks.load(inputs) } }
            observer.stage(RunStage.MEASURING)
            originNs = place.instruments.nowNs() - start.tNs
            val ending = runProtocol(job.protocol, load, place.instruments, course(start))
            Attempt(stop = ending.limit, isStoppedByUser = ending.asked != null)
        } catch (error: JournalFailed) {
            throw error
        } catch (error: Failed) {
            Attempt(failure = failure(error.stage, error.reason))
        } catch (error: Exception) {
            Attempt(failure = failure(Stage.RUN, error))
        } catch (error: OutOfMemoryError) {
            Attempt(failure = failure(Stage.RUN, error))
        } finally {
            networks.close()
        }

        private fun course(start: Start) = Course(
            limits = job.limits,
            keep = ::keep,
            everyNs = job.reporting.everyNs,
            firstRound = start.round,
            tNs = start.tNs,
            several = several(job, networks),
            events = place.events,
            stopping = stopping,
        )

        /** Write what came since the part before. */
        private fun keep(part: Part) {
            val loads = part.loadNs.map { Load(kindOfLoad(), it) }
            val scheduling = listOfNotNull(part.roundEnded?.let { scheduling(now()) })
            if (loads.isNotEmpty() && !isPlacementTold) tell(networks.placement)
            writer.add(lineOf(part, loads, place.peakBytes, power(), scheduling))
            observer.part(part)
            // Before the next load, which is timed.
            if (part.roundEnded != null) networks.close()
        }

        /** Write the plan of the runtime, once. */
        private fun tell(placement: List<PlacedOperation>?) {
            isPlacementTold = true
            if (placement != null) writer.add(Line(placement = placement))
        }

        private fun check() {
            observer.stage(RunStage.CHECKING_OUTPUTS)
            val units = UnitCheck(given, networks, place.instruments)
            val asked = atLoad { units.load(job.computeUnit) }
            val parity = asked.use { units.parity(it.model, job.computeUnit) }
            val load = Load(kindOfLoad(), asked.loadNs)
            writer.add(Line(parity = listOf(parity), loads = listOf(load)))
            tell(asked.placement)
            if (job.computeUnit == ComputeUnit.CPU || !runtime.has(ComputeUnit.CPU)) return
            atLoad { units.load(ComputeUnit.CPU) }.use { onCpu ->
                val cpu = units.parity(onCpu.model, ComputeUnit.CPU)
                writer.add(Line(parity = listOf(cpu), unitTimings = listOf(units.time(onCpu.model))))
            }
        }

        private fun last(attempt: Attempt): Line {
            val now = now()
            return Line(
                events = place.events.take(),
                power = power(),
                scheduling = listOf(scheduling(now)),
                end = End(place.state().copy(tNs = now), attempt.stop, attempt.failure),
            )
        }

        private fun kindOfLoad(): LoadKind {
            val kind = when {
                !isFirstLoad -> LoadKind.WARM
                earlier == null -> LoadKind.FIRST
                else -> LoadKind.COLD
            }
            isFirstLoad = false
            return kind
        }

        private fun now() = place.instruments.nowNs() - originNs

        private fun scheduling(tNs: Long) = place.scheduling().copy(tNs = tNs)

        private fun power() = place.power()?.let { power ->
            power.copy(readings = power.readings.map { it.copy(tNs = maxOf(0, it.tNs - originNs)) })
        }
    }
}

/** What came of measuring. */
private class Attempt(
    val stop: Stop? = null,
    val failure: Failure? = null,
    val isStoppedByUser: Boolean = false,
)

/** A failure at a known stage. */
private class Failed(val stage: Stage, val reason: Throwable) : Exception(reason)

private inline fun <T> atLoad(load: () -> T): T = try {
    load()
} catch (error: Exception) {
    throw Failed(Stage.LOAD, error)
} catch (error: OutOfMemoryError) {
    throw Failed(Stage.LOAD, error)
} catch (error: LinkageError) {
    throw Failed(Stage.LOAD, error)
}

private fun failure(stage: Stage, error: Throwable) =
    Failure(stage, error.javaClass.simpleName, error.message ?: "it gave no reason")

private fun Runtime.has(unit: ComputeUnit): Boolean = unit in units && units[unit] == null
