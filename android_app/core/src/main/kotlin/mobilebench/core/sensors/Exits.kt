package mobilebench.core.sensors

import mobilebench.core.documents.Failure
import mobilebench.core.documents.Stage

/** Why the system says that a process ended. */
enum class Exit(val error: String) {
    CRASHED("Crashed"), KILLED_FOR_MEMORY("OutOfMemory"), KILLED("Killed"),
    NOT_RESPONDING("NotResponding"), ENDED("Ended"), NOT_KNOWN("CutOff"),
}

/** Signals by which a process ends that did something wrong: SIGILL, SIGTRAP, SIGABRT and so on. */
private val SIGNALS_OF_FAULTS = setOf(4, 5, 6, 7, 8, 11)
private const val BY_SIGNAL = 2

/**
 * Return what a reason of Android's `ApplicationExitInfo` means; null is a system without it.
 *
 * [status] is the number of the signal, where one ended the process. A crash of native code is
 * such an end where the system has no report of it.
 */
fun exitOf(reason: Int?, status: Int = 0): Exit = when (reason) {
    4, 5, 7 -> Exit.CRASHED
    BY_SIGNAL -> if (status in SIGNALS_OF_FAULTS) Exit.CRASHED else Exit.KILLED
    3 -> Exit.KILLED_FOR_MEMORY
    8, 9, 10, 11, 12, 13, 14, 15 -> Exit.KILLED
    6 -> Exit.NOT_RESPONDING
    1 -> Exit.ENDED
    else -> Exit.NOT_KNOWN
}

/** How far a run had come when its process ended. */
enum class Reached { NOTHING, STARTED, OUTPUTS_CHECKED, LOADED, MEASURED }

/**
 * Return why a run has no result whose process ended before it.
 *
 * [description] is what the system noted of the end, in its words.
 */
fun failureOf(exit: Exit, reached: Reached, parityAsked: Boolean, description: String?): Failure {
    val stage = when (reached) {
        Reached.NOTHING, Reached.STARTED -> if (parityAsked) Stage.PARITY else Stage.LOAD
        Reached.OUTPUTS_CHECKED -> Stage.LOAD
        Reached.LOADED, Reached.MEASURED -> Stage.RUN
    }
    val what = when (exit) {
        Exit.CRASHED -> "the process crashed"
        Exit.KILLED_FOR_MEMORY -> "the system ended the process because memory was short"
        Exit.KILLED -> "the system or the user ended the process"
        Exit.NOT_RESPONDING -> "the system ended the process because it did not respond"
        Exit.ENDED -> "the process ended by itself"
        Exit.NOT_KNOWN -> "the process ended, and the system does not say why"
    }
    val noted = description?.trim()?.takeIf { it.isNotEmpty() }
    val how = noted?.let { " (${it.take(MOST_NOTED)})" }.orEmpty()
    val message = "$what before the run came to its end$how"
    return Failure(stage, exit.error, message, advice = advice(exit))
}

private const val MOST_NOTED = 300

private fun advice(exit: Exit): String? = when (exit) {
    Exit.CRASHED ->
        "Load the model with the same runtime on a computer; a file of another version, or with " +
            "an operation that the build lacks, ends the process."
    Exit.KILLED_FOR_MEMORY -> "Close other apps, or measure a smaller model."
    Exit.KILLED -> "Run it again, and leave the app in front."
    else -> null
}
