package mobilebench.core.engine

import kotlin.test.Test
import kotlin.test.assertEquals
import mobilebench.core.documents.Event
import mobilebench.core.documents.EventKind

class EventLogTest {
    private val parts = Parts()

    @Test
    fun `an event from another thread is given away with its time`() {
        val events = EventLog()
        val device = object : PlayedDevice() {
            override fun afterInference() {
                if (inferences != 4) return
                val window = Thread { events.add(EventKind.BACKGROUND, note = "onPause") }
                window.apply { start() }.join()
            }
        }
        runProtocol(protocol(10), device::load, device, Course(keep = parts, events = events))
        assertEquals(listOf(Event(4 * MS, EventKind.BACKGROUND, note = "onPause")), parts.events)
    }

    @Test
    fun `what lasts when the run begins counts from its beginning`() {
        val events = EventLog()
        for (kind in listOf(
            EventKind.SCREEN_OFF, EventKind.BACKGROUND, EventKind.SCREEN_ON,
            EventKind.CHARGER_REMOVED,
        )) events.add(kind)
        val device = PlayedDevice()
        val course = Course(keep = parts, events = events, tNs = 5 * S, firstRound = 1)
        runProtocol(protocol(2, rounds = 2), device::load, device, course)
        assertEquals(listOf(Event(5 * S, EventKind.BACKGROUND)), parts.events)
    }

    @Test
    fun `an app that came to the front before the run was not away`() {
        val events = EventLog()
        events.add(EventKind.CALL)
        events.add(EventKind.BACKGROUND)
        events.add(EventKind.FOREGROUND)
        val device = PlayedDevice()
        runProtocol(protocol(2), device::load, device, Course(keep = parts, events = events))
        assertEquals(emptyList(), parts.events)
    }

    @Test
    fun `what lasts is told again to the next run, and the rest is not`() {
        val events = EventLog()
        val late = object : PlayedDevice() {
            override fun afterInference() {
                if (inferences == 3) events.add(EventKind.SCREEN_OFF)
            }
        }
        runProtocol(protocol(900), late::load, late, Course(events = events))
        events.add(EventKind.CHARGER_REMOVED)
        val device = PlayedDevice()
        runProtocol(protocol(2), device::load, device, Course(keep = parts, events = events))
        assertEquals(listOf(Event(0, EventKind.SCREEN_OFF)), parts.events)
    }

    @Test
    fun `events of many threads stay in the order of time`() {
        val events = EventLog()
        events.begin { System.nanoTime() }
        val threads = List(4) {
            Thread {
                repeat(500) {
                    events.add(EventKind.MEMORY_WARNING)
                    events.put(Event(System.nanoTime(), EventKind.CLOCK_CAP))
                }
            }
        }
        threads.forEach { it.start() }
        threads.forEach { it.join() }
        val times = events.take().map { it.tNs }
        assertEquals(4000, times.size)
        assertEquals(times.sorted(), times)
    }
}
