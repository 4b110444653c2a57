package mobilebench.core.sensors

import java.nio.ByteBuffer
import java.nio.ByteOrder

/** Resident memory of a process in bytes, now and at its peak. */
data class Resident(val nowBytes: Long, val peakBytes: Long)

/**
 * Read the resident memory of this process.
 *
 * Android's own count of shared pages takes milliseconds; these lines of Linux take microseconds.
 * What cannot be read is 0, which no process has.
 */
fun resident(files: SystemFiles): Resident {
    val lines = files.read("/proc/self/status").value.orEmpty().lines()
    val now = bytes(lines, "VmRSS:")
    return Resident(now, maxOf(now, bytes(lines, "VmHWM:")))
}

private fun bytes(lines: List<String>, name: String): Long =
    lines.firstOrNull { it.startsWith(name) }?.filter { it.isDigit() }?.toLongOrNull()
        ?.let { it * 1024 } ?: 0

private const val AT_PAGESZ = 6L

/** Return the size of a page from the auxiliary vector of a 64-bit process, or null. */
fun pageBytesOf(auxiliary: ByteArray): Long? {
    val numbers = ByteBuffer.wrap(auxiliary).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer()
    while (numbers.remaining() >= 2) {
        val kind = numbers.get()
        val value = numbers.get()
        if (kind == AT_PAGESZ) return value.takeIf { it in 4096..1L.shl(20) }
    }
    return null
}

/** Return Android's number of a process's importance in its own words. */
fun importanceWord(importance: Int): String = when {
    importance <= 0 -> "unknown"
    importance <= 100 -> "foreground"
    importance <= 125 -> "foreground service"
    importance <= 150 -> "top sleeping"
    importance <= 200 -> "visible"
    importance <= 230 -> "perceptible"
    importance <= 300 -> "service"
    importance <= 400 -> "cached"
    else -> "gone"
}

/** What was asked of the system for a run, and what may disturb it, for the note of an event. */
data class Conditions(
    val hintSession: Boolean,
    val sustainedPerformance: Boolean,
    /** Samsung's service that slows down what it takes for games; null where it is not known. */
    val gameService: Boolean?,
    val thermalSensorsWork: Boolean,
    /** Size of a page of memory; null where it is not known. */
    val pageBytes: Long?,
    /** How often another process tells a server that the job is under way; null where none does. */
    val heartbeatS: Long? = null,
) {
    /** The conditions in clauses. */
    val note: String
        get() = listOfNotNull(
            if (hintSession) "performance hint session" else "no performance hint session",
            if (sustainedPerformance) "sustained performance mode"
            else "no sustained performance mode",
            "Samsung's game service is installed".takeIf { gameService == true },
            "nothing shows that the thermal sensors work".takeIf { !thermalSensorsWork },
            pageBytes?.let { "pages of $it bytes" },
            heartbeatS?.let { "a request to a server every $it s, from another process" },
        ).joinToString("; ")
}
