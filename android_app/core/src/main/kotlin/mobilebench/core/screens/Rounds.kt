package mobilebench.core.screens

import mobilebench.core.documents.Event
import mobilebench.core.documents.EventKind
import mobilebench.core.documents.Phase
import mobilebench.core.documents.Samples

/** The rounds of a measurement, and in which of them the app left the front. */
internal class Rounds(private val samples: Samples, private val events: List<Event>) {
    private val spans: Map<Int, LongRange> = spans()

    /** Rounds with a measured sample. */
    val roundsSeen: Int get() = spans.size

    /** Rounds that ran on while the app was not in front of a screen that was on, or in a call. */
    fun voidRounds(): Int = spans.values.count { away(it) }

    private fun spans(): Map<Int, LongRange> {
        val spans = LinkedHashMap<Int, LongRange>()
        for (index in 0 until samples.size) {
            if (samples.phase[index] != Phase.MEASURED) continue
            val begin = spans[samples.round[index]]?.first ?: samples.tNs[index]
            spans[samples.round[index]] = begin..samples.tNs[index] + samples.latencyNs[index]
        }
        return spans
    }

    private fun away(span: LongRange): Boolean =
        hiddenAt(span.first) || events.any { it.tNs in span && it.kind in LEFT }

    private fun hiddenAt(tNs: Long): Boolean {
        val before = events.filter { it.tNs <= tNs }.map { it.kind }
        return before.lastOrNull { it in FRONT } == EventKind.BACKGROUND ||
            before.lastOrNull { it in SCREEN } == EventKind.SCREEN_OFF
    }

    private companion object {
        val LEFT = setOf(EventKind.BACKGROUND, EventKind.SCREEN_OFF, EventKind.CALL)
        val FRONT = setOf(EventKind.BACKGROUND, EventKind.FOREGROUND)
        val SCREEN = setOf(EventKind.SCREEN_OFF, EventKind.SCREEN_ON)
    }
}
