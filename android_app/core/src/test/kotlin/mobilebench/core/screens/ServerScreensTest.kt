package mobilebench.core.screens

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import mobilebench.core.server.Doing
import mobilebench.core.server.Enrolment
import mobilebench.core.server.QueueEntry
import mobilebench.core.server.QueueState
import mobilebench.core.server.Status

class ServerScreensTest {
    private val enrolment = Enrolment("https://lab.example.org", "shelf-1", listOf("jobs"))
    private val entry = QueueEntry("lease", "job", "server-job-1", emptyList(), 30)

    private fun kinds(page: ServerScreen) = page.actions.map { it.kind }

    @Test
    fun `without an enrolment there is a field and one button`() {
        val page = serverPage(null, isOn = false, Status(Doing.OFF), emptyList())
        assertEquals(Text.of(TextKey.SERVER_FIELD), page.field)
        assertEquals(listOf(ActionKind.ENROL), kinds(page))
    }

    @Test
    fun `a token that was revoked asks for another enrolment, with the server's sentence`() {
        val status = Status(Doing.NOT_ENROLLED, "The token was revoked.")
        val page = serverPage(enrolment, isOn = true, status, listOf(entry))
        assertEquals(listOf(ActionKind.ENROL), kinds(page))
        assertEquals(Verbatim("The token was revoked."), page.problem)
        assertEquals(1, page.rows.size)
    }

    @Test
    fun `the server cannot be left while the work is on`() {
        val on = serverPage(enrolment, isOn = true, Status(Doing.ASKING), emptyList())
        assertEquals(listOf(ActionKind.SWITCH_OFF, ActionKind.LEAVE_SERVER), kinds(on))
        assertFalse(on.actions.last().enabled)
        val off = serverPage(enrolment, isOn = false, Status(Doing.OFF), emptyList())
        assertEquals(listOf(ActionKind.SWITCH_ON, ActionKind.LEAVE_SERVER), kinds(off))
        assertEquals(listOf(true, true), off.actions.map { it.enabled })
    }

    @Test
    fun `what the server does not take is the first row, and can be sent again`() {
        val kept = entry.copy(
            lease = "2", folder = "server-job-2", state = QueueState.KEPT, sentence = "Too large.",
        )
        val page = serverPage(enrolment, isOn = false, Status(Doing.OFF), listOf(entry, kept))
        assertEquals(listOf("server-job-2", "server-job-1"), page.rows.map { it.name })
        assertEquals(Verbatim("Too large."), page.rows.first().problem)
        assertEquals(ActionKind.SEND_AGAIN, kinds(page)[1])
    }

    @Test
    fun `a wait is told with what it is for`() {
        val status = Status(Doing.RETRYING, "It is not reached.", waitMs = 8_000)
        val page = serverPage(enrolment, isOn = true, status, emptyList())
        assertEquals(fact(TextKey.SERVER_NEXT_TRY, duration(8_000_000_000)), page.facts.last())
        assertEquals(Verbatim("It is not reached."), page.problem)
    }
}
