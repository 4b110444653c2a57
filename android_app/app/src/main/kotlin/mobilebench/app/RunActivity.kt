package mobilebench.app

import android.app.Activity
import android.content.ComponentName
import android.content.Context
import android.content.Intent
import android.content.ServiceConnection
import android.content.res.Configuration
import android.os.Build
import android.os.Bundle
import android.os.Handler
import android.os.IBinder
import android.os.Looper
import android.os.PowerManager
import android.os.Process
import android.view.View
import android.view.WindowInsets
import android.view.WindowInsetsController
import android.view.WindowManager
import android.view.accessibility.AccessibilityManager
import android.widget.Button
import android.widget.TextView
import java.io.File
import mobilebench.core.documents.EventKind
import mobilebench.core.jobs.endRun
import mobilebench.core.jobs.jobFolder
import mobilebench.core.json.DocumentRefused
import mobilebench.core.running.RunStage
import mobilebench.core.screens.LiveScreen
import mobilebench.core.screens.RunSoFar
import mobilebench.core.screens.Text
import mobilebench.core.screens.TextKey
import mobilebench.core.screens.Verbatim
import mobilebench.core.screens.deadlineNs
import mobilebench.core.screens.describe
import mobilebench.core.screens.draw
import mobilebench.core.screens.drawsWhileMeasuring
import mobilebench.core.screens.livePage
import mobilebench.core.screens.percent
import mobilebench.core.screens.progressBar
import mobilebench.core.screens.runChart
import mobilebench.core.screens.say

/**
 * Runs one job in front of a screen that stays on, and shows it.
 *
 * It is in a process by itself, which ends with it: the next job finds a fresh one. Where the
 * protocol reads no sensors between inferences, the page stands still while it measures; else it
 * changes once a second.
 */
class RunActivity : Activity() {
    private val words by lazy { ResourceWords(this) }
    private val handler = Handler(Looper.getMainLooper())
    private lateinit var run: CurrentRun
    private val soFar: RunSoFar get() = run.soFar
    private var views: Views? = null
    private var isStill = false
    private var isHolding = false
    private val hold = object : ServiceConnection {
        override fun onServiceConnected(name: ComponentName, service: IBinder) = Unit

        override fun onServiceDisconnected(name: ComponentName) = Unit
    }

    private class Views(
        val status: TextView,
        val warning: TextView,
        val facts: FactsView,
        val bar: DrawingView,
        val chart: DrawingView,
        val button: Button,
    )

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        window.addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON)
        val current = CurrentRun.shared ?: newRun()
        if (current == null) {
            folder()?.let { endRun(it) }
            finish()
            return
        }
        run = current
        if (wishes().sustainedPerformance) askForSustainedPerformance()
        holdServer()
        hideBars()
        build()
        run.changed = { handler.post(::show) }
        if (CurrentRun.shared == null) {
            CurrentRun.shared = run
            run.start()
        }
        handler.post(::tick)
    }

    private fun folder(): File? =
        jobsFolder(this)?.let { jobFolder(it, intent.getStringExtra(EXTRA_JOB).orEmpty()) }

    private fun newRun(): CurrentRun? {
        val folder = folder() ?: return null
        return try {
            CurrentRun(this, folder, wishes(), Front::isInFront)
        } catch (error: DocumentRefused) {
            // The page of the job says so as well.
            refuse(folder, error.message.orEmpty())
            null
        }
    }

    private fun wishes() = RunWishes(
        hintSession = intent.getBooleanExtra(EXTRA_HINT_SESSION, false),
        sustainedPerformance = intent.getBooleanExtra(EXTRA_SUSTAINED, false) &&
            getSystemService(PowerManager::class.java).isSustainedPerformanceModeSupported,
        heartbeatS = intent.getLongExtra(EXTRA_HEARTBEAT_S, 0).takeIf { it > 0 },
    )

    /** Let the system know that the process of the screens works for this page. */
    private fun holdServer() {
        if (wishes().heartbeatS == null) return
        val service = Intent(this, ServerService::class.java)
        bindService(service, hold, Context.BIND_AUTO_CREATE or Context.BIND_IMPORTANT)
        isHolding = true
    }

    private fun letServerGo() {
        if (isHolding) unbindService(hold)
        isHolding = false
    }

    private fun askForSustainedPerformance() = window.setSustainedPerformanceMode(true)

    override fun onResume() {
        super.onResume()
        front(true)
    }

    override fun onPause() {
        front(false)
        super.onPause()
    }

    /** Another window of a split screen can be the one that is used. */
    override fun onTopResumedActivityChanged(isTop: Boolean) = front(isTop)

    private fun front(isInFront: Boolean) {
        if (isInFront == Front.isInFront) return
        Front.isInFront = isInFront
        val kind = if (isInFront) EventKind.FOREGROUND else EventKind.BACKGROUND
        if (::run.isInitialized) run.events.add(kind)
    }

    override fun onConfigurationChanged(configuration: Configuration) {
        super.onConfigurationChanged(configuration)
        // While the page stands still, it also keeps its colours and letters.
        if (!isStill && ::run.isInitialized) build()
    }

    @Deprecated("Called up to Android 12, and later where the app does not ask for gestures")
    override fun onBackPressed() {
        // A slip of the hand must not end a run of half an hour: that is what Stop is for.
        if (!::run.isInitialized || run.end != null) leave()
    }

    override fun onDestroy() {
        handler.removeCallbacksAndMessages(null)
        letServerGo()
        super.onDestroy()
        if (!isFinishing) return
        if (::run.isInitialized) run.close()
        Process.killProcess(Process.myPid())
    }

    private fun tick() {
        if (soFar.protocol.drawsWhileMeasuring && run.stage == RunStage.MEASURING) show()
        handler.postDelayed(::tick, DRAW_EVERY_MS)
    }

    /** Take in what was measured, and show it. */
    private fun show() {
        if (isDestroyed) return
        while (true) soFar.add(run.parts.poll() ?: break)
        val page = page()
        isStill = page.share == null
        views?.let { show(it, page) }
        if (run.end != null) window.clearFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON)
        if (run.end != null && intent.getBooleanExtra(EXTRA_BY_KEY, false)) leave()
    }

    private fun page(): LiveScreen =
        livePage(Verbatim(run.given.folder.name), soFar, run.stage, run.isStopping, run.end)

    private fun build() {
        val screen = page()
        val page = Page(this, words)
        page.title(screen.title)
        title = words.say(screen.title)
        val status = page.status(screen.status)
        val warning = page.notice(screen.warning ?: Verbatim(""))
        val bar = DrawingView(this) { progressBar(page().share ?: 0.0, it.width, BAR_DP) }
        page.drawing(bar)
        val facts = page.facts(screen.facts)
        val chart = DrawingView(this) {
            draw(runChart(soFar, run.given.job.deadlineNs, words), it, words)
        }
        page.drawing(chart)
        val button = page.button(screen.actions.first(), ::press)
        views = Views(status, warning, facts, bar, chart, button)
        page.showIn(this)
        views?.let { show(it, screen) }
    }

    private fun show(views: Views, page: LiveScreen) {
        views.status.showText(words.say(page.status))
        views.warning.visibility = if (page.warning == null) View.GONE else View.VISIBLE
        page.warning?.let { views.warning.showText(words.say(it)) }
        views.facts.show(page.facts)
        val share = page.share
        views.bar.visibility = if (share == null) View.GONE else View.VISIBLE
        if (share != null) {
            views.bar.renew()
            views.bar.contentDescription =
                words.say(Text.of(TextKey.HEARD_PROGRESS, percent(share)))
        }
        views.chart.visibility = if (page.chart) View.VISIBLE else View.GONE
        if (page.chart) {
            views.chart.renew()
            if (isHeard() || run.end != null) {
                views.chart.contentDescription = words.say(describe(soFar))
            }
        }
        val action = page.actions.first()
        views.button.showText(words.say(action.label))
        views.button.contentDescription = words.say(action.description)
        views.button.isEnabled = action.enabled
    }

    /** Whether someone hears the screen: what a chart shows takes time to say. */
    private fun isHeard(): Boolean =
        getSystemService(AccessibilityManager::class.java).isTouchExplorationEnabled

    private fun press() {
        if (run.end != null) {
            leave()
            return
        }
        run.stop()
        show()
    }

    private fun leave() {
        setResult(RESULT_OK)
        finish()
    }

    @Suppress("DEPRECATION") // The call that is not deprecated is there from Android 11 on.
    private fun hideBars() {
        if (Build.VERSION.SDK_INT >= 30) {
            window.insetsController?.let {
                it.hide(WindowInsets.Type.systemBars())
                it.systemBarsBehavior =
                    WindowInsetsController.BEHAVIOR_SHOW_TRANSIENT_BARS_BY_SWIPE
            }
        } else {
            window.decorView.systemUiVisibility = View.SYSTEM_UI_FLAG_FULLSCREEN or
                View.SYSTEM_UI_FLAG_HIDE_NAVIGATION or View.SYSTEM_UI_FLAG_IMMERSIVE_STICKY
        }
    }

    /** Whether the page of the run is in front; the thread that measures asks. */
    private object Front {
        @Volatile
        var isInFront = false
    }

    companion object {
        private const val EXTRA_JOB = "job"
        private const val EXTRA_HINT_SESSION = "hint_session"
        private const val EXTRA_SUSTAINED = "sustained_performance"
        private const val EXTRA_BY_KEY = "by_key"
        private const val EXTRA_HEARTBEAT_S = "heartbeat_s"
        private const val DRAW_EVERY_MS = 1000L
        private const val BAR_DP = 8f

        /** Return what starts the run of a job; [byKey] leaves its page at the end. */
        fun intent(context: Context, job: String, wishes: RunWishes, byKey: Boolean): Intent =
            Intent(context, RunActivity::class.java)
                .putExtra(EXTRA_JOB, job)
                .putExtra(EXTRA_HINT_SESSION, wishes.hintSession)
                .putExtra(EXTRA_SUSTAINED, wishes.sustainedPerformance)
                .putExtra(EXTRA_BY_KEY, byKey)
                .putExtra(EXTRA_HEARTBEAT_S, wishes.heartbeatS ?: 0)
    }
}
