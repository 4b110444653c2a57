package mobilebench.core.engine

import mobilebench.core.documents.Event
import mobilebench.core.documents.EventKind

/**
 * What happens while a run measures, in the order of time.
 *
 * Any thread may add to it: the window that goes to the background, a charger that is pulled. The
 * run puts the events on its clock and gives them away with its parts. Of what came before the run
 * began, only what still lasts counts, at the run's beginning: the app in the background, the
 * screen off, a call.
 */
class EventLog {
    private val events = ArrayList<Event>()

    /** What keeps the app from being in front now. */
    private val lasting = LinkedHashSet<EventKind>()
    private var clock: (() -> Long)? = null
    private var lastNs = 0L

    /** Add an event that happens now. */
    @Synchronized
    fun add(kind: EventKind, readings: Map<String, Double> = emptyMap(), note: String? = null) {
        val tNs = clock?.invoke()
        if (tNs != null) put(Event(tNs, kind, readings = readings, note = note))
        last(kind)
    }

    /** Begin a run, with a clock that shows the time of its measurement. */
    @Synchronized
    internal fun begin(clock: () -> Long) {
        this.clock = clock
        lastNs = 0
        events.clear()
        for (kind in lasting) put(Event(clock(), kind))
    }

    /** Add an event with its time, or with that of the event before where that is later. */
    @Synchronized
    internal fun put(event: Event) {
        lastNs = maxOf(lastNs, event.tNs)
        events.add(event.copy(tNs = lastNs))
    }

    /** Return the events since the last time, and forget them. */
    @Synchronized
    internal fun take(): List<Event> {
        if (events.isEmpty()) return emptyList()
        return ArrayList(events).also { events.clear() }
    }

    private fun last(kind: EventKind) {
        when (kind) {
            EventKind.BACKGROUND, EventKind.SCREEN_OFF, EventKind.CALL -> lasting.add(kind)
            EventKind.FOREGROUND -> lasting.removeAll(setOf(EventKind.BACKGROUND, EventKind.CALL))
            EventKind.SCREEN_ON -> lasting.remove(EventKind.SCREEN_OFF)
            else -> Unit
        }
    }
}
