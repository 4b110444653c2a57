package mobilebench.core.jobs

import java.io.File
import java.io.RandomAccessFile
import mobilebench.core.documents.Failure
import mobilebench.core.documents.Measurement
import mobilebench.core.documents.Stage
import mobilebench.core.journal.Provenance
import mobilebench.core.json.DocumentRefused
import mobilebench.core.running.JobRun
import mobilebench.core.running.TestPlace
import mobilebench.core.running.TestRuntime
import mobilebench.core.running.read
import mobilebench.core.running.writeJob
import mobilebench.core.running.writeRecord
import mobilebench.core.sensors.Exit
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class AftermathTest {
    private val provenance = Provenance("test", "app")

    /** Run a job whole; then cut its journal after a number of lines, as a kill would. */
    private fun cutAfter(lines: Int): File {
        val folder = writeJob()
        val place = TestPlace()
        JobRun(read(folder), TestRuntime(place), place).run()
        val journal = File(folder, "journal.jsonl")
        journal.writeText(journal.readLines().take(lines).joinToString("") { "$it\n" })
        beginRun(folder)
        return folder
    }

    private fun settle(folder: File, exit: Exit) = aftermath(folder, exit, "signal 11", provenance)

    @Test
    fun `a crash before the first sample is a failure at its stage`() {
        for ((lines, stage) in listOf(1 to Stage.PARITY, 2 to Stage.LOAD)) {
            val folder = cutAfter(lines)
            val left = settle(folder, Exit.CRASHED)
            assertEquals(Left.RECORD, left?.left)
            val failure = historyOf(folder).result?.outcome as Failure
            assertEquals(stage, failure.stage)
            assertEquals("Crashed", failure.error)
            assertTrue(failure.message, "signal 11" in failure.message)
            assertEquals(JobState.DONE, jobIn(folder).state)
        }
    }

    @Test
    fun `a crash after samples keeps them as a measurement that is cut off`() {
        val folder = cutAfter(3)
        settle(folder, Exit.CRASHED)
        val result = historyOf(folder).result
        assertTrue((result?.outcome as Measurement).cutOff)
        assertFalse(result.valid)
        assertTrue("cut off" in result.reasons)
    }

    @Test
    fun `after a kill the journal stays and another run goes on`() {
        val folder = cutAfter(3)
        val left = settle(folder, Exit.KILLED_FOR_MEMORY)
        assertEquals(Left.JOURNAL, left?.left)
        assertEquals(JobState.CUT_OFF, jobIn(folder).state)
        val (word, sentence) = File(folder, NO_RECORD_FILE).readLines()
        assertEquals("cut off", word)
        assertTrue(sentence, "memory was short" in sentence)
        beginRun(folder)
        assertFalse(File(folder, NO_RECORD_FILE).exists())
        endRun(folder)
        val place = TestPlace()
        assertEquals(null, JobRun(read(folder), TestRuntime(place), place).run())
        writeRecord(read(folder), provenance, signer = null)
        val outcome = historyOf(folder).result?.outcome as Measurement
        assertFalse(outcome.cutOff)
    }

    @Test
    fun `a process that wrote nothing leaves the job as it was`() {
        val folder = writeJob()
        beginRun(folder)
        val left = settle(folder, Exit.CRASHED)
        assertEquals(Left.NOTHING, left?.left)
        assertEquals(JobState.READY, jobIn(folder).state)
        assertEquals("cut off", File(folder, NO_RECORD_FILE).readLines().first())
    }

    @Test
    fun `a record needs no word why there is none`() {
        for (exit in listOf(Exit.CRASHED, Exit.ENDED)) {
            val folder = cutAfter(if (exit == Exit.CRASHED) 3 else Int.MAX_VALUE)
            settle(folder, exit)
            assertTrue(File(folder, "record.json").isFile)
            assertFalse(File(folder, NO_RECORD_FILE).exists())
        }
    }

    @Test
    fun `a refusal stays in the folder as a word and one sentence`() {
        val folder = writeJob()
        beginRun(folder)
        endRun(folder, NoRecord(Why.REFUSED, "It has no GPU;\nname another unit."))
        val told = File(folder, NO_RECORD_FILE).readText()
        assertEquals("refused\nIt has no GPU; name another unit.\n", told)
        assertEquals(null, unfinishedSince(folder))
    }

    @Test
    fun `a journal without end does not fill the memory`() {
        val folder = cutAfter(3)
        RandomAccessFile(File(folder, "journal.jsonl"), "rw").use { it.setLength(1L shl 33) }
        val refused = assertThrows(DocumentRefused::class.java) {
            JobRun(read(folder), TestRuntime(TestPlace()), TestPlace()).run()
        }
        assertTrue(refused.message, "remove it" in refused.message.orEmpty())
        assertEquals(Left.NOTHING, settle(folder, Exit.CRASHED)?.left)
    }

    @Test
    fun `a run that came to its end gets the record that is missing, and no notice`() {
        val folder = cutAfter(Int.MAX_VALUE)
        assertEquals(null, settle(folder, Exit.KILLED))
        assertTrue(historyOf(folder).result?.outcome is Measurement)
    }

    @Test
    fun `a run is settled once`() {
        val folder = cutAfter(2)
        settle(folder, Exit.KILLED)
        assertEquals(null, unfinishedSince(folder))
        assertEquals(null, settle(folder, Exit.CRASHED))
        assertFalse(File(folder, "record.json").exists())
    }

    @Test
    fun `history has the newest first and says what cannot be read`() {
        val jobs = newJobs()
        for ((name, time) in listOf("old" to "2026-01-01", "new" to "2026-02-01")) {
            val folder = cutAfter(Int.MAX_VALUE)
            settle(folder, Exit.ENDED)
            val target = File(jobs, name).apply { mkdir() }
            val record = File(folder, "record.json").readText()
            File(target, "record.json").writeText(
                record.replace(Regex("\"created\":\"[^T\"]*T"), "\"created\":\"${time}T"),
            )
        }
        File(jobs, "bad").apply { mkdir() }.let { File(it, "record.json").writeText("{}") }
        File(jobs, "none").mkdir()
        val entries = historyIn(jobs)
        assertEquals(listOf("new", "old", "bad"), entries.map { it.name })
        assertTrue(entries.last().problem.orEmpty().contains("record.json"))
    }
}
