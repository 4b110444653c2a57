package mobilebench.app

import android.content.Context
import android.os.Handler
import android.os.Looper
import android.os.Process
import java.io.File
import java.io.IOException
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import mobilebench.core.jobs.unfinishedSince
import mobilebench.core.screens.Text
import mobilebench.core.screens.TextKey
import mobilebench.core.screens.Verbatim
import mobilebench.core.sensors.CpuFiles
import mobilebench.core.server.Doing
import mobilebench.core.server.Enrolment
import mobilebench.core.server.EnrolmentFile
import mobilebench.core.server.Invitation
import mobilebench.core.server.NotWritten
import mobilebench.core.server.Queue
import mobilebench.core.server.QueueEntry
import mobilebench.core.server.ServerAway
import mobilebench.core.server.ServerClient
import mobilebench.core.server.ServerHost
import mobilebench.core.server.ServerLoop
import mobilebench.core.server.ServerRefused
import mobilebench.core.server.ServerWork
import mobilebench.core.server.Status
import mobilebench.core.server.Step
import mobilebench.core.server.UrlHttp

/** Starts the run of a job for a server; the main activity does it while it is in front. */
fun interface RunStarter {
    fun startForServer(name: String, heartbeatS: Long)
}

/**
 * The work for a server, in the process of the screens, while the app is in front.
 *
 * Android lets no app start a run from behind, so there would be nothing to do there. The thread
 * has the priority of work in the background, and the process that measures is another one.
 */
class ServerWorker private constructor(context: Context) {
    private val app = context.applicationContext
    private val main = Handler(Looper.getMainLooper())
    private val folder = File(app.noBackupFilesDir, "server")
    private val tokens = KeystoreTokens(File(folder, "token"))
    private val enrolments = EnrolmentFile(File(folder, "enrolment.json"))
    private val switch = File(folder, "on")
    val queue = Queue(File(folder, "queue.json"))

    @Volatile
    var status = Status(Doing.OFF)
        private set

    /** Called on the main thread when the status or the queue changes. */
    @Volatile
    var changed: () -> Unit = {}

    private var host: Host? = null

    val enrolment: Enrolment? get() = enrolments.read()

    val isOn: Boolean get() = switch.isFile

    /** Enrol; return what to tell. Takes the calling thread for as long as the network does. */
    fun enrol(invitation: Invitation): Text = try {
        val signer = signerOf(app)
        if (signer == null) {
            Text.of(TextKey.NOTICE_NO_KEY)
        } else {
            val client = ServerClient(UrlHttp(invitation.server), server = invitation.server)
            val device = describeDevice(app, CpuFiles(LinuxFiles))
            val (enrolment, token) = client.enrol(invitation.code, signer, device)
            if (enrolments.read()?.server != enrolment.server) queue.forget()
            tokens.write(token)
            enrolments.write(enrolment)
            status = Status(Doing.OFF)
            Text.of(TextKey.NOTICE_ENROLLED, enrolment.device)
        }
    } catch (error: ServerRefused) {
        Verbatim(error.message.orEmpty())
    } catch (error: ServerAway) {
        Verbatim(error.message.orEmpty())
    } catch (error: IOException) {
        Verbatim(error.message.orEmpty())
    }

    fun switchOn() {
        folder.mkdirs()
        switch.writeText("")
    }

    fun switchOff() {
        switch.delete()
        pause()
    }

    /** Forget the server and its token; jobs and records stay. */
    fun leave() {
        queue.forget()
        tokens.clear()
        enrolments.clear()
        status = Status(Doing.OFF)
    }

    fun sendAgain() = try {
        queue.sendKeptAgain()
    } catch (error: NotWritten) {
        status = Status(Doing.OFF, error.message)
    }

    /** Go on with the work, where it is switched on: the app is in front. For the main thread. */
    fun goOn(starter: RunStarter) {
        host?.let {
            it.starter = starter
            return
        }
        val enrolment = enrolment ?: return
        val token = tokens.read()
        val jobs = jobsFolder(app)
        if (!isOn || token == null || jobs == null) {
            if (isOn && token == null) status = Status(Doing.NOT_ENROLLED)
            return
        }
        val client = ServerClient(UrlHttp(enrolment.server), token, enrolment.server)
        val host = Host(jobs, starter)
        val loop = ServerLoop(
            ServerWork(client, queue, jobs), client, host,
            beginLease = { Process.setThreadPriority(Process.THREAD_PRIORITY_BACKGROUND) },
        )
        host.loop = loop
        this.host = host
        Thread({ host.work(loop) }, "server").start()
    }

    /** End the work after the step that is under way, but for a run of its own. Main thread. */
    fun pause() {
        val host = host ?: return
        if (host.isMeasuring && isOn) return
        host.end()
        this.host = null
    }

    /** Hear that a run has ended, or did not begin. */
    fun ended() {
        host?.run?.countDown()
    }

    private fun show(status: Status) {
        this.status = status
        main.post { changed() }
    }

    /** One time of work, from front to behind. */
    private inner class Host(private val jobs: File, @Volatile var starter: RunStarter) :
        ServerHost {
        @Volatile
        var loop: ServerLoop? = null

        @Volatile
        var run: CountDownLatch? = null

        @Volatile
        var isMeasuring = false

        private val ending = CountDownLatch(1)

        fun work(loop: ServerLoop) {
            Process.setThreadPriority(Process.THREAD_PRIORITY_BACKGROUND)
            loop.run()
        }

        fun end() {
            ending.countDown()
            loop?.stop()
        }

        override fun awaitTurn(): Boolean {
            while (isRunnerAlive(app)) if (isEnding(BETWEEN_LOOKS_MS)) return false
            return !isEnding(0)
        }

        private fun isEnding(waitMs: Long) = ending.await(waitMs, TimeUnit.MILLISECONDS)

        override fun measure(entry: QueueEntry) {
            val run = CountDownLatch(1)
            this.run = run
            isMeasuring = true
            main.post { starter.startForServer(entry.folder, entry.heartbeatS) }
            run.await()
            isMeasuring = false
            // The main page settles a run whose process is gone; until then nobody knows its end.
            val folder = File(jobs, entry.folder)
            repeat(LOOKS) {
                if (unfinishedSince(folder) == null) return
                if (isEnding(BETWEEN_LOOKS_MS)) return
            }
        }

        override fun show(status: Status) = this@ServerWorker.show(status)

        override fun stepped(step: Step) = main.post { changed() }.let { }
    }

    companion object {
        private const val BETWEEN_LOOKS_MS = 500L
        private const val LOOKS = 60

        @Volatile
        private var only: ServerWorker? = null

        /** The one of this process. */
        fun of(context: Context): ServerWorker =
            only ?: synchronized(this) { only ?: ServerWorker(context).also { only = it } }
    }
}
