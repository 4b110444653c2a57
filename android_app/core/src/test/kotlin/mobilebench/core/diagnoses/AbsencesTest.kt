package mobilebench.core.diagnoses

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertNull
import mobilebench.core.documents.Event
import mobilebench.core.documents.EventKind
import mobilebench.core.documents.Phase
import mobilebench.core.documents.Samples
import mobilebench.core.documents.Scheduling

class AbsencesTest {
    @Test
    fun `the app is away until nothing of this lasts`() {
        val events = listOf(
            Event(10, EventKind.BACKGROUND), Event(12, EventKind.SCREEN_OFF),
            Event(15, EventKind.FOREGROUND), Event(20, EventKind.SCREEN_ON),
            Event(30, EventKind.CALL), Event(31, EventKind.SCREEN_ON),
        )
        assertEquals(listOf(Absence(10, 20), Absence(30, null)), absences(events, emptyList()))
    }

    @Test
    fun `a call ends when the app is in front again`() {
        val events = listOf(Event(10, EventKind.CALL), Event(15, EventKind.FOREGROUND))
        assertEquals(listOf(Absence(10, 15)), absences(events, emptyList()))
    }

    @Test
    fun `other events are no absence, and what is not known is none either`() {
        val events = EventKind.values().toList() -
            listOf(EventKind.BACKGROUND, EventKind.SCREEN_OFF, EventKind.CALL)
        val scheduling = listOf(Scheduling(0, foreground = true, screenOn = true), Scheduling(9))
        assertEquals(emptyList(), absences(events.map { Event(5, it) }, scheduling))
    }

    @Test
    fun `where no event tells of it the app left when it was last known to be in front`() {
        val scheduling = listOf(
            Scheduling(5, foreground = true, screenOn = true),
            Scheduling(50, foreground = true, screenOn = false),
            Scheduling(60, foreground = true, screenOn = true),
        )
        assertEquals(listOf(Absence(5, 60)), absences(emptyList(), scheduling))
    }

    @Test
    fun `an event says when the app left better than the scheduling`() {
        val scheduling = listOf(
            Scheduling(5, foreground = true), Scheduling(50, foreground = false),
        )
        val events = listOf(Event(40, EventKind.BACKGROUND))
        assertEquals(listOf(Absence(40, null)), absences(events, scheduling))
    }

    @Test
    fun `rounds with an absence are void, and said`() {
        // Rounds from 0 to 30, 100 to 130 and 200 to 230.
        val samples = samples(listOf(0, 10, 20, 100, 110, 120, 200, 210, 220), rounds = 3)
        fun void(from: Long, to: Long?) = voidRounds(samples, listOf(Absence(from, to)))
        assertEquals(VoidRounds(listOf(1), 3), void(125, 190))
        assertEquals(VoidRounds(listOf(1, 2), 3), void(130, 200))
        assertEquals(VoidRounds(listOf(2), 3), void(205, null))
        assertEquals(VoidRounds(emptyList(), 3), void(131, 199))
        assertEquals(
            "2 of 3 rounds are void: the app was not in front, or the screen was off.",
            void(130, 200).sentence,
        )
        assertEquals(
            "1 of 3 rounds is void",
            void(205, null).sentence.orEmpty().substringBefore(":"),
        )
        assertNull(void(131, 199).sentence)
    }

    @Test
    fun `a round that has only warmed up is no block`() {
        val samples = samples(listOf(0, 10, 20, 100), rounds = 2, warmUpOnly = 1)
        assertEquals(VoidRounds(listOf(0), 1), voidRounds(samples, listOf(Absence(0, null))))
    }

    private fun samples(starts: List<Long>, rounds: Int, warmUpOnly: Int = -1): Samples {
        val round = IntArray(starts.size) { (starts[it] / 100).toInt() }
        check(round.distinct().size == rounds)
        return Samples(
            tNs = starts.toLongArray(),
            latencyNs = LongArray(starts.size) { 10 },
            phase = Array(starts.size) {
                if (starts[it] % 100 == 0L || round[it] == warmUpOnly) Phase.WARM_UP
                else Phase.MEASURED
            },
            round = round,
        )
    }
}
