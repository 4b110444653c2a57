package mobilebench.app

import android.content.Context
import android.os.Build
import android.os.PerformanceHintManager
import android.os.Process
import android.util.Log
import java.io.File
import java.io.IOException
import java.util.concurrent.ConcurrentLinkedQueue
import mobilebench.core.documents.EventKind
import mobilebench.core.documents.Failure
import mobilebench.core.documents.JobFolder
import mobilebench.core.documents.Refused
import mobilebench.core.documents.Signer
import mobilebench.core.documents.deviceKey
import mobilebench.core.documents.readJobFolder
import mobilebench.core.engine.EventLog
import mobilebench.core.engine.Part
import mobilebench.core.jobs.NoRecord
import mobilebench.core.jobs.Why
import mobilebench.core.jobs.endRun
import mobilebench.core.jobs.tell
import mobilebench.core.journal.JournalFailed
import mobilebench.core.journal.Provenance
import mobilebench.core.journal.journalContent
import mobilebench.core.journal.readJournal
import mobilebench.core.json.DocumentRefused
import mobilebench.core.running.JobRun
import mobilebench.core.running.RunObserver
import mobilebench.core.running.RunStage
import mobilebench.core.running.writeRecord
import mobilebench.core.screens.RunEnd
import mobilebench.core.screens.RunSoFar
import mobilebench.core.screens.Verbatim
import mobilebench.core.sensors.Conditions

/** What a run is asked for beside its job; all of it is off by default. */
data class RunWishes(
    val hintSession: Boolean = false,
    val sustainedPerformance: Boolean = false,
    /** How often the other process tells a server of the run; null where it is not for one. */
    val heartbeatS: Long? = null,
)

/**
 * The run of this process: one job, on a thread of its own, and what of it waits to be shown.
 *
 * It outlives the activity that shows it. The thread that measures hands parts over without a lock,
 * so that a page that is slow to draw never holds it up.
 */
class CurrentRun(
    context: Context,
    folder: File,
    private val wishes: RunWishes,
    private val isInFront: () -> Boolean,
) : RunObserver {
    private val app = context.applicationContext
    val given: JobFolder = readJobFolder(folder)
    val events = EventLog()
    val parts = ConcurrentLinkedQueue<Part>()

    /** What was shown of it until now; for the main thread alone. */
    val soFar = RunSoFar(given.job.protocol)
    private val watch = Watch(app, events)

    @Volatile
    var stage = RunStage.CHECKING_FILES
        private set

    @Volatile
    var end: RunEnd? = null
        private set

    @Volatile
    var isStopping = false
        private set

    /** Called on the thread that measures when the stage or the end changes. */
    @Volatile
    var changed: () -> Unit = {}

    @Volatile
    private var run: JobRun? = null
    private var place: AndroidPlace? = null
    private var isNoted = false
    private var none: NoRecord? = null
    private var hints: PerformanceHintManager.Session? = null

    fun start() {
        watch.begin()
        Thread(::measure, "run").start()
    }

    /** End the run after the inference that is under way. */
    fun stop() {
        isStopping = true
        run?.stop()
    }

    override fun stage(stage: RunStage) {
        // The end is shown when the record is written.
        if (stage == RunStage.ENDED || stage == RunStage.FAILED) return
        this.stage = stage
        changed()
    }

    override fun part(part: Part) {
        if (!isNoted && isInFront() && !watch.isInCall) note()
        report(part)
        parts.add(part)
    }

    private fun measure() {
        val end = try {
            val place = AndroidPlace(app, events, isInFront, wishes.sustainedPerformance)
            this.place = place
            val runtime = runtimeOf(given.job.runtime, app)
            val run = JobRun(given, runtime, place, this)
            this.run = run
            if (isStopping) run.stop()
            ended(hinted { run.run() })
        } catch (error: Refused) {
            failed(error, Why.REFUSED)
        } catch (error: DocumentRefused) {
            failed(error, Why.REFUSED)
        } catch (error: JournalFailed) {
            failed(error, Why.NOT_WRITTEN)
        } catch (error: IOException) {
            failed(error, Why.NOT_WRITTEN)
        } catch (error: LinkageError) {
            failed(error, Why.REFUSED)
        }
        endRun(given.folder, none)
        log(given.folder, none?.sentence ?: (end.failure as? Verbatim)?.text ?: "done")
        this.end = end
        stage = if (end.failure == null) RunStage.ENDED else RunStage.FAILED
        changed()
    }

    private fun failed(error: Throwable, why: Why): RunEnd {
        val sentence = error.message ?: error.toString()
        none = NoRecord(why, sentence)
        return RunEnd(Verbatim(sentence))
    }

    /** Write the record of a run that came to its end; one that was stopped can go on later. */
    private fun ended(failure: Failure?): RunEnd {
        val isWhole = readJournal(journalContent(given.journalFile), given.document.sha256).ended
        if (!isWhole) {
            none = NoRecord(Why.STOPPED, "The user stopped the run; another one goes on with it.")
            return RunEnd(stopped = true)
        }
        writeRecord(given, provenanceOf(app), signerOf(app))
        return RunEnd(failure?.let { Verbatim("${it.error}: ${it.message}") })
    }

    /** Run with a session of performance hints around it, where that is asked for and there. */
    private fun <T> hinted(work: () -> T): T {
        if (!wishes.hintSession || Build.VERSION.SDK_INT < 31) return work()
        val manager = app.getSystemService(PerformanceHintManager::class.java)
        val target = given.job.protocol.intervalNs ?: DEFAULT_TARGET_NS
        val session = manager?.createHintSession(intArrayOf(Process.myTid()), target)
        hints = session
        return try {
            work()
        } finally {
            hints = null
            session?.close()
        }
    }

    /** Tell the session how long inferences took; between them there is no time for it. */
    private fun report(part: Part) {
        if (Build.VERSION.SDK_INT < 31) return
        val session = hints ?: return
        for (latencyNs in part.samples.latencyNs) session.reportActualWorkDuration(latencyNs)
    }

    /** Put the conditions into the record: the event says that the app is in front, as it is. */
    private fun note() {
        isNoted = true
        val conditions = Conditions(
            hintSession = wishes.hintSession && Build.VERSION.SDK_INT >= 31,
            sustainedPerformance = wishes.sustainedPerformance,
            gameService = hasGameService(app),
            thermalSensorsWork = place?.thermalSensorsWork == true,
            pageBytes = LinuxFiles.pageBytes(),
            heartbeatS = wishes.heartbeatS,
        )
        events.add(EventKind.FOREGROUND, note = conditions.note)
    }

    /** Stop hearing of the device. */
    fun close() = watch.end()

    companion object {
        private const val DEFAULT_TARGET_NS = 16_666_667L

        /** The run of this process; null before it begins. */
        @Volatile
        var shared: CurrentRun? = null
    }
}

/** Say in the system's log how a run ended, or why there was none. */
fun log(folder: File, sentence: String) {
    Log.i("mobilebench", "${folder.name}: $sentence")
}

/** Refuse to run a job: in its folder, where a cable finds it, and in the system's log. */
fun refuse(folder: File, sentence: String) {
    tell(folder, NoRecord(Why.REFUSED, sentence))
    log(folder, sentence)
}

/** Return the key that this app signs with; it leaves the device in no backup. */
fun signerOf(context: Context): Signer? = deviceKey(File(context.noBackupFilesDir, "key"))

/** Say which program made a record, and how the job came to it. */
fun provenanceOf(context: Context): Provenance =
    Provenance(harnessVersion = describeApp(context).version, transport = "app")
