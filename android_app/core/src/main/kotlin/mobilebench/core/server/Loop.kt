package mobilebench.core.server

import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

/** What the work for a server is doing, to be shown. */
enum class Doing(val word: String) {
    /** The user has it switched off. */
    OFF("off"),

    /** Waits for a job, or asks for one. */
    ASKING("asking for a job"),

    /** Files of a job are on their way. */
    FETCHING("fetching"),

    /** Waits until the app may measure. */
    WAITING("waiting to measure"),

    MEASURING("measuring"),
    SENDING("sending"),

    /** The last try failed; another one comes by itself. */
    RETRYING("trying again"),

    /** The server no longer knows the token. */
    NOT_ENROLLED("not enrolled"),
}

/** What is shown of the work for a server. */
data class Status(
    val doing: Doing,
    /** What went wrong, in a sentence; null where nothing did. */
    val sentence: String? = null,
    /** How long until the next try. */
    val waitMs: Long? = null,
)

/** The program around the work: it measures, and shows what goes on. */
interface ServerHost {
    /** Wait until a run may begin; false where it was switched off meanwhile. */
    fun awaitTurn(): Boolean

    /** Measure a job and return when its run has ended, in whatever way. */
    fun measure(entry: QueueEntry)

    fun show(status: Status)

    /** Hear what a step came to. */
    fun stepped(step: Step)
}

/**
 * Works for a server until it is switched off: asks, fetches, measures, sends, and asks again.
 *
 * Nothing but heartbeats goes over the network while a job is measured.
 */
class ServerLoop(
    private val work: ServerWork,
    private val client: ServerClient,
    private val host: ServerHost,
    private val backoff: Backoff = Backoff(),
    /** Called on the thread of heartbeats when it begins. */
    private val beginLease: () -> Unit = {},
) {
    private val off = CountDownLatch(1)

    /** Work until [stop]. Takes the calling thread. */
    fun run() {
        while (!isStopped()) {
            host.show(Status(doing()))
            try {
                val step = work.step()
                backoff.reset()
                host.stepped(step)
                if (step.kind == StepKind.READY) step.entry?.let(::measure)
                // Some server or proxy may answer at once that there is nothing.
                if (step.kind == StepKind.IDLE) off.await(BETWEEN_ASKS_MS, TimeUnit.MILLISECONDS)
            } catch (error: ServerAway) {
                retry(error.message, error.askedMs)
            } catch (error: NotWritten) {
                retry(error.message)
            } catch (error: ServerRefused) {
                if (error.status == UNAUTHORIZED) {
                    host.show(Status(Doing.NOT_ENROLLED, error.message))
                    return
                }
                retry(error.message)
            }
        }
        host.show(Status(Doing.OFF))
    }

    /** End after what is under way; any thread may ask. */
    fun stop() = off.countDown()

    private fun isStopped(): Boolean = off.count == 0L

    private fun doing(): Doing = when (work.queue.current?.state) {
        QueueState.FETCHING -> Doing.FETCHING
        QueueState.WAITING -> Doing.WAITING
        QueueState.SENDING -> Doing.SENDING
        else -> Doing.ASKING
    }

    private fun measure(entry: QueueEntry) {
        LeaseKeeper(client, entry.lease, entry.heartbeatS, beginLease).use {
            host.show(Status(Doing.WAITING))
            if (!host.awaitTurn()) return
            work.begins(entry)
            host.show(Status(Doing.MEASURING))
            host.measure(entry)
        }
    }

    private fun retry(sentence: String?, askedMs: Long? = null) {
        val waitMs = backoff.nextMs(askedMs)
        host.show(Status(Doing.RETRYING, sentence, waitMs))
        off.await(waitMs, TimeUnit.MILLISECONDS)
    }

    private companion object {
        const val UNAUTHORIZED = 401
        const val BETWEEN_ASKS_MS = 1_000L
    }
}
