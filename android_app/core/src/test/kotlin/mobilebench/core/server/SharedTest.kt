package mobilebench.core.server

import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import mobilebench.core.json.JsonDouble
import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonList
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText
import mobilebench.core.json.readJson

/** What both apps do alike, by the cases in `tests/data/server-clients.json`. */
class SharedTest {
    private val shared = readJson(
        File(System.getProperty("mobilebench.root"), "tests/data/server-clients.json").readBytes(),
    ) as JsonObject

    private fun cases(name: String) = (shared[name] as JsonList).values.map { it as JsonObject }

    private fun JsonObject.word(name: String) = (this[name] as? JsonText)?.value

    private fun JsonObject.number(name: String) = (this[name] as? JsonInt)?.value

    private fun check(case: JsonObject, name: String, read: (String) -> String) {
        val text = case.word("text").orEmpty()
        val refused = case.word("refused")
        if (refused == null) {
            assertEquals(case.word(name), read(text), text)
            return
        }
        val error = assertFailsWith<NotAnInvitation>(text) { read(text) }
        assertTrue(refused in error.message.orEmpty(), "$text: ${error.message}")
    }

    @Test
    fun `invitations are read as the other app reads them`() {
        for (case in cases("invitations")) {
            check(case, "server") { readInvitation(it).server }
            check(case, "code") { readInvitation(it).code }
        }
    }

    @Test
    fun `addresses and codes are read as the other app reads them`() {
        for (case in cases("addresses")) check(case, "address", ::readAddress)
        for (case in cases("codes")) check(case, "code", ::readCode)
        for (case in cases("typed")) {
            check(case, "server") { readTyped(it).server }
            check(case, "code") { readTyped(it).code }
        }
    }

    @Test
    fun `both apps wait alike before another try`() {
        for (case in cases("waits")) {
            val share = (case["share"] as JsonDouble).value
            val tries = checkNotNull(case.number("tries")).toInt()
            assertEquals(case.number("ms"), waitMs(tries, share, case.number("asked_ms")), "$case")
        }
    }

    @Test
    fun `both apps say the same words`() {
        val words = shared["words"] as JsonObject
        fun said(name: String) = (words[name] as JsonList).values.map { (it as JsonText).value }
        assertEquals(said("queue"), QueueState.values().map { it.word })
        assertEquals(said("step"), StepKind.values().map { it.word })
        assertEquals(said("doing"), Doing.values().map { it.word })
    }

    @Test
    fun `an answer ends the growing of the wait`() {
        val backoff = Backoff { 0.0 }
        assertEquals(listOf(500L, 1_000L, 2_000L), List(3) { backoff.nextMs() })
        backoff.reset()
        assertEquals(500, backoff.nextMs())
    }
}
