package mobilebench.core.journal

import java.io.File
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull
import kotlin.test.assertTrue
import mobilebench.core.JOB_SHA256
import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.EventKind
import mobilebench.core.documents.Failure
import mobilebench.core.documents.LoadKind
import mobilebench.core.documents.Measurement
import mobilebench.core.documents.readJob
import mobilebench.core.jobText
import mobilebench.core.journalOf
import mobilebench.core.json.DocumentRefused
import mobilebench.core.roundLine
import mobilebench.core.start
import org.junit.Rule
import org.junit.rules.TemporaryFolder

private const val LINE_FEED = '\n'.code.toByte()

class JournalTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val protocol = readJob(jobText().toByteArray()).job.protocol
    private val lines = listOf(
        Line(start = start()),
        roundLine(0, 10_000_000, kind = LoadKind.FIRST),
        roundLine(1, 30_000_000),
        Line(end = End(DeviceState(90_000_000))),
    )
    private val whole = journalOf(lines)

    private fun read(content: ByteArray) = readJournal(content, JOB_SHA256)

    @Test
    fun `cut at every byte, it holds the lines that are whole`() {
        val first = whole.indexOf(LINE_FEED) + 1
        for (size in 0..whole.size) {
            val content = whole.copyOf(size)
            if (size < first) {
                assertFailsWith<DocumentRefused> { read(content) }
                continue
            }
            val journal = read(content)
            val ends = content.indices.filter { content[it] == LINE_FEED }
            assertEquals(ends.size, journal.lines.size)
            assertEquals(ends.last() + 1, journal.bytes)
            assertEquals(journal.bytes == size, journal.remark == null)
            assertEquals(ends.size == lines.size, journal.ended)
            assertEquals(maxOf(0, minOf(ends.size - 1, 2)), journal.nextRound)
            val outcome = journal.outcome(protocol)
            if (ends.size == 1) {
                assertEquals("CutOff", (outcome as Failure).error)
            } else {
                assertEquals(journal.ended, !(outcome as Measurement).cutOff)
                assertEquals(2 * minOf(ends.size - 1, 2), outcome.samples.size)
            }
        }
    }

    @Test
    fun `a byte that changed within a line ends what is read, or is refused`() {
        for (place in whole.indices step 7) {
            val changed = whole.copyOf().also { it[place] = 0 }
            val journal = try {
                read(changed)
            } catch (_: DocumentRefused) {
                continue
            }
            assertTrue(journal.bytes <= place, "at $place")
            assertTrue(journal.remark.orEmpty().startsWith("the journal: line "), "at $place")
        }
    }

    @Test
    fun `a process goes on from wherever the one before was cut off`() {
        val first = whole.indexOf(LINE_FEED) + 1
        for (size in listOf(0, first - 1) + (first..whole.size step 97)) {
            val file = folder.newFile("journal-$size")
            file.writeBytes(whole.copyOf(size))
            val opened = openJournal(file, JOB_SHA256)
            val earlier = opened.earlier
            assertEquals(size < first, earlier == null)
            val kept = earlier?.bytes ?: 0
            opened.writer.use { writer ->
                val tNs = earlier?.let { it.lastNs + 1 } ?: 0
                val round = earlier?.nextRound ?: 0
                writer.add(Line(start = start(tNs, round)))
                writer.add(roundLine(round, tNs + 1, kind = LoadKind.COLD))
            }
            val later = read(file.readBytes())
            assertNull(later.remark)
            assertEquals((earlier?.lines?.size ?: 0) + 2, later.lines.size)
            assertContentEquals(whole.copyOf(kept), file.readBytes().copyOf(kept))
            val damaged = File("${file.path}.damaged")
            assertEquals(earlier?.remark != null, damaged.exists())
            if (damaged.exists()) assertContentEquals(whole.copyOf(size), damaged.readBytes())
        }
    }

    @Test
    fun `what is not whole is kept beside the journal, and cut off`() {
        val first = whole.indexOf(LINE_FEED) + 1
        val changed = whole.copyOf().also { it[first] = 0 }
        val lost = journalOf(lines).decodeToString().split("\n").filterIndexed { n, _ -> n != 1 }
        for (content in listOf(changed, lost.joinToString("\n").toByteArray())) {
            val file = folder.newFile().apply { writeBytes(content) }
            val opened = openJournal(file, JOB_SHA256)
            opened.writer.close()
            assertEquals(1, opened.earlier?.lines?.size)
            assertContentEquals(whole.copyOf(first), file.readBytes())
            assertContentEquals(content, File("${file.path}.damaged").readBytes())
        }
    }

    @Test
    fun `of a round that had not ended only the later samples count`() {
        val unended = roundLine(1, 30_000_000, ended = false)
        val again = Line(start = start(tNs = 60_000_000, round = 1))
        val later = roundLine(1, 70_000_000, kind = LoadKind.COLD)
        val journal = read(journalOf(lines.take(2) + unended + again + later))
        val outcome = journal.outcome(protocol) as Measurement
        val times = listOf(10_000_000L, 12_000_000L, 70_000_000L, 72_000_000L)
        assertEquals(times, outcome.samples.tNs.asList())
        assertEquals(2, outcome.gates.size)
        assertEquals(3, outcome.states.size)
        assertEquals(listOf(EventKind.RESUMED), outcome.events.map { it.kind })
        assertEquals(listOf(3_000_000L), outcome.loads.coldNs.asList())
    }

    @Test
    fun `lines whose times go backwards contradict each other`() {
        val early = roundLine(1, 5_000_000)
        val journal = read(journalOf(lines.take(2) + early))
        val refusal = assertFailsWith<DocumentRefused> { journal.outcome(protocol) }
        assertTrue("order of time" in refusal.message.orEmpty(), refusal.message)
    }

    @Test
    fun `the clock of one that goes on is later than everything, whatever the wall clock did`() {
        val journal = read(whole)
        assertEquals(33_000_002L, journal.lastNs)
        assertEquals(33_000_003L, journal.resumedAtNs("2026-01-02T03:04:04Z"))
        assertEquals(1_000_000_000L, journal.resumedAtNs("2026-01-02T03:04:06.678Z"))
    }

    @Test
    fun `two runs do not write one journal`() {
        val file = folder.newFile("journal.jsonl")
        openJournal(file, JOB_SHA256).writer.use {
            val refusal = assertFailsWith<DocumentRefused> {
                openJournal(file, JOB_SHA256)
            }
            assertTrue("Another run" in refusal.message.orEmpty(), refusal.message)
        }
        openJournal(file, JOB_SHA256).writer.close()
    }
}
