package mobilebench.app

import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.view.WindowManager
import java.io.File
import java.io.IOException
import java.util.concurrent.Executors
import mobilebench.core.documents.Measurement
import mobilebench.core.documents.RECORD_FILE
import mobilebench.core.jobs.JobState
import mobilebench.core.jobs.beginRun
import mobilebench.core.jobs.endRun
import mobilebench.core.jobs.historyIn
import mobilebench.core.jobs.historyOf
import mobilebench.core.jobs.jobFolder
import mobilebench.core.jobs.jobIn
import mobilebench.core.jobs.jobsIn
import mobilebench.core.jobs.keyFits
import mobilebench.core.jobs.unfinishedSince
import mobilebench.core.screens.Action
import mobilebench.core.screens.ActionKind
import mobilebench.core.screens.Text
import mobilebench.core.screens.TextKey
import mobilebench.core.screens.Verbatim
import mobilebench.core.screens.deadlineNs
import mobilebench.core.screens.historyList
import mobilebench.core.screens.jobList
import mobilebench.core.screens.jobPage
import mobilebench.core.screens.resultPage
import mobilebench.core.screens.runOf
import mobilebench.core.screens.serverPage
import mobilebench.core.server.NotAnInvitation
import mobilebench.core.server.readTyped

/**
 * Shows jobs and results, and starts runs. The only part of the app that others can start.
 *
 * An intent starts a job at once only with the key that lies in the job's folder; without it the
 * job is shown, and waits for the user.
 */
class MainActivity : Activity(), RunStarter {
    private val words by lazy { ResourceWords(this) }
    private val views by lazy { MainViews(this, words, ::open, ::press, ::share) }
    private val reading = Executors.newSingleThreadExecutor()
    private var page: MainPage = MainPage.Jobs
    private var notice: Text? = null
    private val worker by lazy { ServerWorker.of(this) }

    /** What a scanned code gave, or a user typed in vain. */
    private var typed = ""

    /** Whether a run was asked for whose end this activity has not heard of. */
    @Volatile
    private var isStarting = false

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        page = MainPage.of(state)
        if (state == null) answer(intent)
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        answer(intent)
    }

    override fun onResume() {
        super.onResume()
        worker.changed = { if (page == MainPage.Server) show() }
        goOnWithServer()
        show()
    }

    override fun onStop() {
        worker.changed = {}
        worker.pause()
        super.onStop()
    }

    /** Work for the server where that is switched on; a screen that goes off would end it. */
    private fun goOnWithServer() {
        worker.goOn(this)
        val flag = WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON
        if (worker.isOn) window.addFlags(flag) else window.clearFlags(flag)
    }

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        page.keepIn(state)
    }

    override fun onDestroy() {
        reading.shutdown()
        super.onDestroy()
    }

    @Deprecated("Called up to Android 12, and later where the app does not ask for gestures")
    @Suppress("DEPRECATION") // For the same reason.
    override fun onBackPressed() {
        val before = page.before
        if (before == null) super.onBackPressed() else go(before)
    }

    private fun go(to: MainPage, notice: Text? = null) {
        page = to
        this.notice = notice
        show()
    }

    /** Read what the page needs beside the main thread, then build it. */
    private fun show() {
        val wanted = page
        reading.execute {
            val jobs = jobsFolder(this)
            // The process of a run that was just asked for is not there yet.
            val left = if (jobs == null || isStarting) null else settle(this, jobs)
            val build = if (jobs == null) noStorage() else read(wanted, jobs)
            runOnUiThread {
                if (isDestroyed || page != wanted) return@runOnUiThread
                if (left != null) notice = left
                build()
            }
        }
    }

    private fun noStorage(): () -> Unit = {
        val list = jobList(emptyList(), false, Text.of(TextKey.NOTICE_NO_STORAGE))
        views.show(list, MainPage.Jobs)
    }

    /** Read what a page shows; return what builds its views. */
    private fun read(page: MainPage, jobs: File): () -> Unit {
        val running = isRunning(this, jobs)
        return when (page) {
            MainPage.Jobs -> jobsIn(jobs).let { { views.show(jobList(it, running, notice), page) } }
            MainPage.History -> historyIn(jobs).let { { views.show(historyList(it), page) } }
            MainPage.Server -> {
                val entries = worker.queue.entries
                val screen =
                    serverPage(worker.enrolment, worker.isOn, worker.status, entries, notice)
                return { views.show(screen, typed, ::enrol) }
            }
            is MainPage.OfJob -> {
                val folder = jobFolder(jobs, page.name) ?: return ::leave
                jobIn(folder).let { { views.show(jobPage(it, running, notice), page.name) } }
            }
            is MainPage.OfResult -> {
                val folder = jobFolder(jobs, page.name) ?: return ::leave
                val result = historyOf(folder).result ?: return ::leave
                val measured = result.outcome as? Measurement
                val job = result.job
                val run = if (measured == null || job == null) null else runOf(job, measured)
                val deadlineNs = job?.deadlineNs
                resultPage(result).let { { views.show(it, notice, page.name, run, deadlineNs) } }
            }
        }
    }

    private fun leave() = go(MainPage.Jobs)

    private fun open(of: MainPage, name: String) =
        go(if (of == MainPage.History) MainPage.OfResult(name, true) else MainPage.OfJob(name))

    private fun press(action: Action, name: String) {
        when (action.kind) {
            ActionKind.JOBS -> go(MainPage.Jobs)
            ActionKind.HISTORY -> go(MainPage.History)
            ActionKind.IMPORT_FOLDER -> pick(Intent(Intent.ACTION_OPEN_DOCUMENT_TREE), PICK_FOLDER)
            ActionKind.IMPORT_ZIP -> pick(
                Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE)
                    .setType("*/*"),
                PICK_ZIP,
            )
            ActionKind.RUN, ActionKind.GO_ON -> start(name, RunWishes(), byKey = false)
            ActionKind.OPEN -> go(MainPage.OfResult(name, false))
            ActionKind.SAVE -> pick(
                Intent(Intent.ACTION_CREATE_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE)
                    .setType("application/json").putExtra(Intent.EXTRA_TITLE, "$name-$RECORD_FILE"),
                PICK_TARGET,
            )
            ActionKind.SERVER -> go(MainPage.Server)
            ActionKind.SWITCH_ON -> server { worker.switchOn() }
            ActionKind.SWITCH_OFF -> server { worker.switchOff() }
            ActionKind.SEND_AGAIN -> server { worker.sendAgain() }
            ActionKind.LEAVE_SERVER -> server { worker.leave() }
            ActionKind.SHARE, ActionKind.STOP, ActionKind.ENROL -> Unit
        }
    }

    private fun server(act: () -> Unit) {
        act()
        goOnWithServer()
        go(MainPage.Server)
    }

    /** Enrol by what was typed or scanned: only when the user presses the button. */
    private fun enrol(text: String) {
        typed = text
        val invitation = try {
            readTyped(text)
        } catch (error: NotAnInvitation) {
            return go(MainPage.Server, Verbatim(error.message.orEmpty()))
        }
        go(MainPage.Server, Text.of(TextKey.NOTICE_ENROLLING))
        reading.execute {
            val told = worker.enrol(invitation)
            runOnUiThread {
                typed = ""
                // What may still be at work has the token of before.
                worker.pause()
                if (isDestroyed) return@runOnUiThread
                goOnWithServer()
                go(MainPage.Server, told)
            }
        }
    }

    override fun startForServer(name: String, heartbeatS: Long) {
        page = MainPage.Server
        start(name, RunWishes(heartbeatS = heartbeatS), byKey = true)
    }

    private fun pick(intent: Intent, request: Int) = try {
        startActivityForResult(intent, request)
    } catch (_: ActivityNotFoundException) {
        go(page, Verbatim("This device has no app that chooses files; copy the job by cable."))
    }

    private fun share(text: String) {
        val send = Intent(Intent.ACTION_SEND).setType("text/plain")
            .putExtra(Intent.EXTRA_TEXT, text)
        startActivity(Intent.createChooser(send, null))
    }

    /** Open the job that an intent names, and start it where the intent has its key. */
    private fun answer(intent: Intent) {
        val scanned = intent.data?.takeIf { it.scheme == SCHEME }
        if (scanned != null) {
            typed = scanned.toString().take(MOST_SCANNED)
            return go(MainPage.Server)
        }
        val asked = Asked.of(intent) ?: return
        val folder = jobsFolder(this)?.let { jobFolder(it, asked.job) }
        if (folder == null) {
            go(MainPage.Jobs, Text.of(TextKey.NOTICE_NO_SUCH_JOB, asked.job.take(MOST_SHOWN)))
            return
        }
        page = MainPage.OfJob(asked.job)
        notice = null
        if (asked.key == null) return
        if (keyFits(folder, asked.key)) start(asked.job, asked.wishes, byKey = true)
        else notice = Text.of(TextKey.NOTICE_KEY).also { log(folder, KEY) }
    }

    private fun start(name: String, wishes: RunWishes, byKey: Boolean) {
        reading.execute {
            val folder = jobsFolder(this)?.let { jobFolder(it, name) }
                ?: return@execute worker.ended()
            val entry = jobIn(folder)
            val refusal = entry.problem ?: when {
                entry.state == JobState.DONE -> return@execute notStarted()
                isRunnerGone() -> null
                else -> BUSY
            }
            if (refusal != null) {
                // The run that is under way may be of this folder.
                if (unfinishedSince(folder) == null) refuse(folder, refusal)
                return@execute notStarted()
            }
            val problem = try {
                isStarting = true
                beginRun(folder)
                null
            } catch (error: IOException) {
                Verbatim("Nothing can be written into the folder of the job: ${error.message}.")
            }
            problem?.let {
                isStarting = false
                log(folder, it.text)
                worker.ended()
            }
            runOnUiThread { if (problem != null) go(page, problem) else run(name, wishes, byKey) }
        }
    }

    private fun notStarted() {
        worker.ended()
        runOnUiThread { show() }
    }

    /** Whether no run is under way; the process of one that has ended needs a moment to go. */
    private fun isRunnerGone(): Boolean {
        val jobs = jobsFolder(this) ?: return false
        repeat(TRIES) {
            if (!isRunnerAlive(this)) return true
            if (isRunning(this, jobs)) return false
            Thread.sleep(BETWEEN_TRIES_MS)
        }
        return false
    }

    private fun run(name: String, wishes: RunWishes, byKey: Boolean) {
        notice = null
        if (isDestroyed) {
            jobsFolder(this)?.let { endRun(File(it, name)) }
            worker.ended()
            return
        }
        startActivityForResult(RunActivity.intent(this, name, wishes, byKey), RUN)
    }

    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        super.onActivityResult(request, result, data)
        val uri = data?.data
        if (request == RUN) {
            isStarting = false
            worker.ended()
        }
        when (request) {
            RUN -> (page as? MainPage.OfJob)?.let { ofJob ->
                val folder = jobsFolder(this)?.let { jobFolder(it, ofJob.name) }
                val done = folder != null && File(folder, RECORD_FILE).isFile
                if (done && result == RESULT_OK) page = MainPage.OfResult(ofJob.name, false)
            }
            PICK_FOLDER, PICK_ZIP -> if (uri != null) take(uri, request == PICK_FOLDER)
            PICK_TARGET -> if (uri != null) (page as? MainPage.OfResult)?.let { save(it.name, uri) }
        }
    }

    private fun take(uri: Uri, isFolder: Boolean) {
        val jobs = jobsFolder(this) ?: return go(page, Text.of(TextKey.NOTICE_NO_STORAGE))
        notice = Text.of(TextKey.NOTICE_IMPORTING)
        Importing(applicationContext, jobs).begin(
            uri,
            isFolder,
            done = { if (!isDestroyed) go(page, Text.of(TextKey.NOTICE_IMPORTED, it)) },
            refused = { if (!isDestroyed) go(page, Text.of(TextKey.NOTICE_REFUSED, it)) },
        )
    }

    /** Copy a record to where the user wants it. */
    private fun save(name: String, uri: Uri) {
        val folder = jobsFolder(this)?.let { jobFolder(it, name) } ?: return
        reading.execute {
            val told = try {
                contentResolver.openOutputStream(uri)?.use { to ->
                    File(folder, RECORD_FILE).inputStream().use { it.copyTo(to) }
                }
                Text.of(TextKey.NOTICE_SAVED)
            } catch (error: IOException) {
                Text.of(TextKey.NOTICE_SAVE_FAILED, error.message.orEmpty())
            }
            runOnUiThread { if (!isDestroyed) go(page, told) }
        }
    }

    private companion object {
        const val KEY = "A program gave a key that does not fit; the job waits for the user."
        const val BUSY = "Another job was under way when this one was to be run; run it again."
        const val RUN = 1
        const val PICK_FOLDER = 2
        const val PICK_ZIP = 3
        const val PICK_TARGET = 4
        const val MOST_SHOWN = 100
        const val MOST_SCANNED = 2_000
        const val SCHEME = "mobilebench"
        const val TRIES = 50
        const val BETWEEN_TRIES_MS = 100L
    }
}
