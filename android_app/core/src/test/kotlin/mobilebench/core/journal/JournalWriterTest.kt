package mobilebench.core.journal

import java.io.File
import java.nio.channels.FileChannel
import java.nio.file.Files
import java.nio.file.StandardOpenOption.WRITE
import java.util.concurrent.TimeUnit
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import mobilebench.core.JOB_SHA256
import mobilebench.core.documents.LoadKind
import mobilebench.core.documents.Measurement
import mobilebench.core.documents.readJob
import mobilebench.core.jobText
import mobilebench.core.json.DocumentRefused
import mobilebench.core.roundLine
import mobilebench.core.start
import org.junit.Rule
import org.junit.rules.TemporaryFolder

class JournalWriterTest {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun `a journal that is a link is not followed`() {
        val other = folder.newFile("model.onnx").apply { writeText("weights") }
        val link = File(folder.root, "journal.jsonl")
        Files.createSymbolicLink(link.toPath(), other.toPath())
        assertFailsWith<JournalFailed> { openJournal(link, JOB_SHA256) }
        assertEquals("weights", other.readText())
    }

    @Test
    fun `lines stand in the file in their order, each as a whole`() {
        val file = File(folder.root, "journal.jsonl")
        openJournal(file, JOB_SHA256).writer.use { writer ->
            writer.add(Line(start = start()))
            for (round in 0 until 500) writer.add(roundLine(round, 10_000_000L * (round + 1)))
        }
        val journal = readJournal(file.readBytes(), JOB_SHA256)
        assertEquals(501, journal.lines.size)
        assertEquals((0 until 500).toList(), journal.lines.mapNotNull { it.roundEnded })
    }

    @Test
    fun `a full disk is told at the next line, and at the end`() {
        val full = FileChannel.open(File("/dev/full").toPath(), WRITE)
        val writer = JournalWriter(full, "journal.jsonl", 0)
        val told = assertFailsWith<JournalFailed> {
            writer.use {
                while (true) {
                    it.add(Line(start = start()))
                    Thread.sleep(1)
                }
            }
        }
        assertTrue("No space left" in told.message.orEmpty(), told.message)
        assertFailsWith<JournalFailed> { writer.close() }
    }

    @Test
    fun `a journal that cannot be made is told in a sentence`() {
        val told = assertFailsWith<JournalFailed> {
            openJournal(File(folder.root, "lost/journal.jsonl"), JOB_SHA256)
        }
        assertTrue(told.message.orEmpty().endsWith("."), told.message)
    }

    @Test
    fun `a process that is killed has told what it wrote, and only then another goes on`() {
        val file = File(folder.root, "journal.jsonl")
        val java = File(System.getProperty("java.home"), "bin/java").path
        val classes = System.getProperty("java.class.path")
        val main = "mobilebench.core.journal.WritesUntilKilled"
        val child = ProcessBuilder(java, "-cp", classes, main, file.path).inheritIO().start()
        while (child.isAlive && file.length() < 20_000) Thread.sleep(1)
        assertFailsWith<DocumentRefused> { openJournal(file, JOB_SHA256) }
        child.destroyForcibly()
        assertTrue(child.waitFor(1, TimeUnit.MINUTES))

        val opened = openJournal(file, JOB_SHA256)
        val earlier = requireNotNull(opened.earlier)
        val again = Line(start = start(earlier.lastNs + 1, earlier.nextRound))
        opened.writer.use { it.add(again) }
        val journal = readJournal(file.readBytes(), JOB_SHA256)
        assertTrue(journal.lines.size > 20)
        assertEquals(null, journal.remark)
        val outcome = journal.outcome(readJob(jobText().toByteArray()).job.protocol)
        assertEquals(2 * earlier.nextRound, (outcome as Measurement).samples.size)
    }
}

/** Writes a line each millisecond until it is killed. */
object WritesUntilKilled {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val writer = openJournal(File(arguments.single()), JOB_SHA256).writer
        writer.add(Line(start = start()))
        var round = 0
        while (true) {
            val kind = if (round == 0) LoadKind.FIRST else LoadKind.WARM
            writer.add(roundLine(round, 10_000_000L * (round + 1), kind = kind))
            round++
            Thread.sleep(1)
        }
    }
}
