package mobilebench.core.server

import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

/**
 * Tells the server, on a thread of low priority, that a job is still worked on.
 *
 * A request is a few hundred bytes every [heartbeatS] seconds; on Android it is in another process
 * than the one that measures. A lease that expires ends this, and nothing else: what is measured is
 * kept and sent.
 */
class LeaseKeeper(
    private val client: ServerClient,
    private val lease: String,
    private val heartbeatS: Long,
    /** Called on the thread when it begins; lowers its priority where the system has such. */
    private val begin: () -> Unit = {},
) : AutoCloseable {
    private val ended = CountDownLatch(1)

    /** How many requests the server answered well. */
    @Volatile
    var beats = 0
        private set

    /** Whether the lease expired. */
    @Volatile
    var isLost = false
        private set

    private val thread = Thread(::beat, "lease").apply {
        isDaemon = true
        priority = Thread.MIN_PRIORITY
        start()
    }

    private fun beat() {
        begin()
        val backoff = Backoff()
        var waitMs = heartbeatS * 1_000
        while (!ended.await(waitMs, TimeUnit.MILLISECONDS)) {
            waitMs = try {
                client.heartbeat(lease)
                beats += 1
                backoff.reset()
                heartbeatS * 1_000
            } catch (error: ServerAway) {
                val askedMs = error.askedMs
                val againMs = backoff.nextMs(askedMs)
                if (askedMs == null) minOf(againMs, heartbeatS * 1_000) else againMs
            } catch (_: ServerRefused) {
                isLost = true
                return
            }
        }
    }

    /** Stop; a request that is under way ends by itself. */
    override fun close() {
        ended.countDown()
    }
}
