package mobilebench.core.engine

import mobilebench.core.documents.Limits
import mobilebench.core.documents.Stop

/** How a run begins, where it ends early, and to whom it gives its parts. */
class Course(
    val limits: Limits = Limits(),
    /**
     * Takes a part between two inferences, when [everyNs] have passed, and after each round.
     *
     * It runs on the thread that measures, so it has to be quick: hand the part to another thread,
     * or write its line at once. What it throws ends the run.
     */
    val keep: (Part) -> Unit = {},
    val everyNs: Long = 1_000_000_000,
    val firstRound: Int = 0,
    /** What the measurement's clock shows at the beginning. */
    val tNs: Long = 0,
    /** Null where there is one network. */
    val several: Several? = null,
    /** What happens outside of the run, on other threads. */
    val events: EventLog = EventLog(),
    /** Lets somebody end the run. */
    val stopping: StopRequest = StopRequest(),
)

/** How a run ended; both are null where it ran to its end. */
data class Ending(
    /** The limit of the job that ended it. */
    val limit: Stop? = null,
    /** The cause that was given with a request to stop. */
    val asked: String? = null,
)

/** A request to end a run, which any thread may make; the run looks between two inferences. */
class StopRequest {
    /** Why to stop; null while nobody has asked. */
    @Volatile
    var cause: String? = null
        private set

    /** Ask a run to end. The first cause stays. */
    @Synchronized
    fun ask(cause: String) {
        if (this.cause == null) this.cause = cause
    }
}

/** The clock does not go forward, so nothing can be timed with it; the message says how. */
class ClockFailed(message: String) : Exception(message)
