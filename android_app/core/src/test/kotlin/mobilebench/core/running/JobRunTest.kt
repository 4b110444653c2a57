package mobilebench.core.running

import java.io.File
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertSame
import kotlin.test.assertTrue
import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.DocumentKind
import mobilebench.core.documents.EventKind
import mobilebench.core.documents.Measurement
import mobilebench.core.documents.Outcome
import mobilebench.core.documents.Phase
import mobilebench.core.documents.Refused
import mobilebench.core.documents.Stage
import mobilebench.core.documents.Stop
import mobilebench.core.documents.UnitEvidence
import mobilebench.core.documents.contentSha256
import mobilebench.core.documents.part
import mobilebench.core.documents.text
import mobilebench.core.journal.Journal
import mobilebench.core.journal.JournalFailed
import mobilebench.core.journal.Provenance
import mobilebench.core.journal.outcome
import mobilebench.core.journal.readJournal
import mobilebench.core.json.DocumentRefused
import mobilebench.core.json.readJson

class JobRunTest {
    private val place = TestPlace()
    private val runtime = TestRuntime(place)

    @Test
    fun `a whole job leaves what the contract asks for`() {
        val folder = writeJob()
        assertNull(JobRun(read(folder), runtime, place).run())
        val measured = measurement(folder)
        assertEquals(6, measured.samples.phase.count { it == Phase.MEASURED })
        assertEquals(7_000_000, measured.loads.firstNs)
        assertEquals(2, measured.loads.warmNs.size)
        assertTrue(measured.parity.single().passed)
        assertEquals(2, measured.gates.size)
        assertEquals(UnitEvidence.CONFIRMED, measured.runtime.computeUnitEvidence)
        assertEquals(60_000_000, measured.memory.peakBytes)
        // At the start, after each round, at the end.
        assertEquals(4, measured.scheduling.size)
        assertEquals(measured.scheduling.map { it.tNs }.sorted(), measured.scheduling.map { it.tNs })
        assertFalse(measured.cutOff)
        assertEquals(runtime.loaded.size, runtime.closed)
    }

    @Test
    fun `the record of a job is one by its schema, and holds the subject as it came`() {
        val folder = writeJob()
        JobRun(read(folder), runtime, place).run()
        val file = writeRecord(read(folder), Provenance("test", "cable"), signer = null)
        val tree = readJson(file.readBytes())
        val record = DocumentKind.RECORD.read(tree, "the record")
        assertEquals("test", record.part("model").text("name"))
        assertEquals("measurement", record.part("outcome").text("kind"))
        assertEquals(listOf("record.json"), folder.list()!!.filter { it.startsWith("record") })
    }

    @Test
    fun `outputs that differ are written down, and the job is measured all the same`() {
        val folder = writeJob()
        val expected = File(folder, "parity/expected.bin")
        val job = File(folder, "job.json")
        val before = contentSha256(expected)
        expected.writeBytes(expected.readBytes().also { it[3] = 0x40 })
        val after = contentSha256(expected)
        val (head, tail) = job.readText().split("\"expected_sha256\": \"")
        job.writeText(head + "\"expected_sha256\": \"" + tail.replaceFirst(before, after))
        assertNull(JobRun(read(folder), runtime, place).run())
        val parity = measurement(folder).parity.single()
        assertFalse(parity.passed)
        assertNotNull(parity.outputs.single().maxRelativeError)
    }

    @Test
    fun `a model that fails while it is measured leaves a failure with what came before`() {
        val folder = writeJob()
        runtime.beforeRun = { run -> if (run == 6) throw ModelFailed("the unit went away") }
        val failure = assertNotNull(JobRun(read(folder), runtime, place).run())
        assertEquals(Stage.RUN, failure.stage)
        assertEquals("ModelFailed", failure.error)
        assertEquals("the unit went away", failure.message)
        assertEquals(failure, journal(folder).end?.failure)
        assertEquals(4, journal(folder).lines.sumOf { it.samples?.size ?: 0 })
    }

    @Test
    fun `a model that cannot be loaded fails at the load`() {
        val folder = writeJob()
        runtime.beforeLoad = { throw UnsatisfiedLinkError("libmissing.so") }
        val failure = assertNotNull(JobRun(read(folder), runtime, place).run())
        assertEquals(Stage.LOAD, failure.stage)
        assertEquals("UnsatisfiedLinkError", failure.error)
    }

    @Test
    fun `a run that is stopped can be gone on with, and its first load is cold then`() {
        val folder = writeJob()
        val run = JobRun(read(folder), runtime, place)
        runtime.beforeRun = { count -> if (count == 8) run.stop() }
        assertNull(run.run())
        assertNull(journal(folder).end)
        assertEquals(1, journal(folder).nextRound)

        val later = TestPlace()
        assertNull(JobRun(read(folder), TestRuntime(later), later).run())
        val measured = measurement(folder)
        assertEquals(6, measured.samples.phase.count { it == Phase.MEASURED })
        assertEquals(1, measured.loads.coldNs.size)
        assertEquals(EventKind.RESUMED, measured.events.single().kind)
        assertTrue(measured.samples.tNs.asList().zipWithNext().all { (one, next) -> one < next })
    }

    @Test
    fun `the time of a load is that of the library alone`() {
        val folder = writeJob()
        runtime.closeNs = 5_000_000
        JobRun(read(folder), runtime, place).run()
        val loads = measurement(folder).loads
        assertContentEquals(longArrayOf(7_000_000, 7_000_000), loads.warmNs)
        // One set of inputs for both rounds: drawing them is no part of a load.
        val (first, second) = runtime.fed.takeLast(2)
        assertSame(first, second)
    }

    @Test
    fun `without a policy that chooses, the model file alone is loaded`() {
        val sha256 = contentSha256(File(writeJob(), "model.onnx"))
        val variants = listOf(1.0, 0.5).joinToString { width ->
            """{"name": "w$width", "model_file": "model.onnx", "model_sha256": "$sha256",
            "width": $width, "entry": "width=$width"}"""
        }
        val folder = writeJob(""", "variants": [$variants]""")
        assertNull(JobRun(read(folder), runtime, place).run())
        // The check, and one load for each round.
        assertEquals(listOf<String?>(null, null, null), runtime.loaded.map { it.entry })
    }

    @Test
    fun `a job that lacks only its record gets it, and is not measured again`() {
        val folder = writeJob()
        runtime.beforeRun = { run -> if (run == 6) throw ModelFailed("the unit went away") }
        val failure = JobRun(read(folder), runtime, place).run()
        val content = File(folder, "journal.jsonl").readText()
        assertEquals(failure, JobRun(read(folder), runtime, place).run())
        assertEquals(content, File(folder, "journal.jsonl").readText())
    }

    @Test
    fun `a record that cannot be written leaves nothing half-written`() {
        val folder = writeJob()
        JobRun(read(folder), runtime, place).run()
        File(folder, "record.json/taken").mkdirs()
        val before = folder.list()!!.toSet()
        assertFailsWith<JournalFailed> {
            writeRecord(read(folder), Provenance("test", "cable"), signer = null)
        }
        assertEquals(before, folder.list()!!.toSet())
    }

    @Test
    fun `a job that asks for an upload is refused`() {
        val folder = writeJob(""", "upload_url": "https://example.org/jobs"""")
        val refused = assertFailsWith<Refused> { JobRun(read(folder), runtime, place).run() }
        assertTrue("asks for an upload" in refused.message.orEmpty(), refused.message)
        assertFalse(File(folder, "journal.jsonl").exists())
    }

    @Test
    fun `batches of another size are refused before anything is written`() {
        val folder = writeJob()
        val job = File(folder, "job.json")
        job.writeText(job.readText().replace("\"batches\": 1", "\"batches\": 2147483647"))
        val refused = assertFailsWith<DocumentRefused> {
            JobRun(read(folder), runtime, place).run()
        }
        assertTrue("2147483647 batches" in refused.message.orEmpty(), refused.message)
        assertFalse(File(folder, "journal.jsonl").exists())
    }

    @Test
    fun `a job that is done is not measured again`() {
        val folder = writeJob()
        JobRun(read(folder), runtime, place).run()
        writeRecord(read(folder), Provenance("test", "cable"), signer = null)
        val content = File(folder, "journal.jsonl").readText()
        val refused = assertFailsWith<Refused> { JobRun(read(folder), runtime, place).run() }
        assertTrue("is done" in refused.message.orEmpty(), refused.message)
        assertEquals(content, File(folder, "journal.jsonl").readText())
    }

    @Test
    fun `a limit of time ends the run with its name`() {
        val folder = writeJob(""", "limits": {"time_ns": 12000000}""")
        assertNull(JobRun(read(folder), runtime, place).run())
        assertEquals(Stop.TIME, measurement(folder).stopped)
    }

    @Test
    fun `another unit is checked and timed beside the CPU`() {
        val both = mapOf<ComputeUnit, String?>(ComputeUnit.CPU to null, ComputeUnit.NPU to null)
        val npu = TestRuntime(place, both)
        // Load, check and 12 timed runs of the CPU come after the check of the unit.
        npu.beforeRun = { run -> if (run in 3..14) place.pass(2_000_000) }
        val folder = writeJob(unit = "npu")
        assertNull(JobRun(read(folder), npu, place).run())
        val measured = measurement(folder)
        assertEquals(listOf(ComputeUnit.NPU, ComputeUnit.CPU), measured.parity.map { it.unit })
        assertEquals(0.01, measured.parity.first().outputs.single().limit)
        assertEquals(3_000_000.0, measured.unitTimings.single().p50Ns)
        assertEquals(UnitEvidence.LIKELY, measured.runtime.computeUnitEvidence)
        assertEquals(
            listOf(ComputeUnit.NPU, ComputeUnit.CPU, ComputeUnit.NPU, ComputeUnit.NPU),
            npu.loaded.map { it.unit },
        )
    }

    @Test
    fun `a unit that is not there is refused before anything is written`() {
        val folder = writeJob(unit = "gpu")
        val lacks = TestRuntime(place, mapOf(ComputeUnit.GPU to "this build has no GPU delegate"))
        val refused = assertFailsWith<Refused> { JobRun(read(folder), lacks, place).run() }
        assertTrue("this build has no GPU delegate" in refused.message.orEmpty(), refused.message)
        assertFalse(File(folder, "journal.jsonl").exists())
    }

    @Test
    fun `a file that is not the one of the job is refused before anything is written`() {
        val folder = writeJob()
        File(folder, "model.onnx").appendText("!")
        assertFailsWith<DocumentRefused> { JobRun(read(folder), runtime, place).run() }
        assertFalse(File(folder, "journal.jsonl").exists())
    }

    @Test
    fun `of two runs of a job at once, one is refused`() {
        val folder = writeJob()
        runtime.beforeRun = { run ->
            if (run == 1) {
                val second = JobRun(read(folder), TestRuntime(TestPlace()), TestPlace())
                val refused = assertFailsWith<DocumentRefused> { second.run() }
                assertTrue("Another run" in refused.message.orEmpty(), refused.message)
            }
        }
        assertNull(JobRun(read(folder), runtime, place).run())
    }

    private fun measurement(folder: File): Measurement {
        val outcome: Outcome = journal(folder).outcome(read(folder).job.protocol)
        return outcome as Measurement
    }

    private fun journal(folder: File): Journal {
        val given = read(folder)
        return readJournal(given.journalFile.readBytes(), given.document.sha256)
    }
}
