package mobilebench.core.screens

import java.io.File
import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Event
import mobilebench.core.documents.EventKind
import mobilebench.core.documents.ThermalState
import mobilebench.core.engine.Part
import mobilebench.core.jobs.HistoryEntry
import mobilebench.core.jobs.JobEntry
import mobilebench.core.jobs.JobState
import mobilebench.core.jobs.beginRun
import mobilebench.core.jobs.historyOf
import mobilebench.core.jobs.jobIn
import mobilebench.core.journal.Provenance
import mobilebench.core.running.JobRun
import mobilebench.core.running.RunStage
import mobilebench.core.running.TestPlace
import mobilebench.core.running.TestRuntime
import mobilebench.core.running.read
import mobilebench.core.running.writeJob
import mobilebench.core.running.writeRecord
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertTrue
import org.junit.Test

class ScreensTest {
    private fun Text.said() = Resources.say(this)

    private fun actions(kinds: List<Action>) = kinds.associate { it.kind to it.enabled }

    /** Do a job of 1 ms for each inference, and return its folder with the record. */
    private fun done(beforeRun: (TestPlace, Int) -> kotlin.Unit = { _, _ -> }): File {
        val folder = writeJob()
        val place = TestPlace()
        val runtime = TestRuntime(place).apply { this.beforeRun = { beforeRun(place, it) } }
        JobRun(read(folder), runtime, place).run()
        writeRecord(read(folder), Provenance("test", "app"), signer = null)
        return folder
    }

    // The list of jobs, and a job

    @Test
    fun `a job is listed with what it is and where it stands`() {
        val row = jobList(listOf(jobIn(writeJob())), running = false).rows.single()
        val details = row.details.map { it.said() }
        assertTrue("$details", "onnxruntime, cpu, test" in details && "ready" in details)
        assertEquals(null, row.problem)
        assertTrue(row.description.said().contains("onnxruntime"))
    }

    @Test
    fun `what is wrong with a job is said and heard`() {
        val faulty = JobEntry("x", File("x"), 5, JobState.FAULTY, null, "It is broken.")
        val row = jobList(listOf(faulty), running = false).rows.single()
        assertEquals("It is broken.", row.problem?.said())
        assertTrue("It is broken." in row.description.said())
        assertFalse(actions(jobPage(faulty, false).actions).getValue(ActionKind.RUN))
    }

    @Test
    fun `a job can be run, or go on where it was cut off, or show its result`() {
        val entry = jobIn(writeJob())
        val of = { state: JobState -> actions(jobPage(entry.copy(state = state), false).actions) }
        assertEquals(mapOf(ActionKind.RUN to true), of(JobState.READY))
        assertEquals(mapOf(ActionKind.GO_ON to true), of(JobState.CUT_OFF))
        assertEquals(mapOf(ActionKind.RUN to false, ActionKind.OPEN to true), of(JobState.DONE))
    }

    @Test
    fun `while a job runs no other can be started or come in`() {
        val page = jobPage(jobIn(writeJob()), running = true)
        assertFalse(actions(page.actions).getValue(ActionKind.RUN))
        val list = jobList(emptyList(), running = true)
        assertFalse(actions(list.actions).getValue(ActionKind.IMPORT_ZIP))
        assertEquals(Text.of(TextKey.RUN_ELSEWHERE), list.notice)
    }

    // A run

    private fun live(
        run: RunSoFar,
        stage: RunStage,
        stopping: Boolean = false,
        end: RunEnd? = null,
    ) = livePage(Verbatim("job"), run, stage, stopping, end)

    @Test
    fun `a burst shows nothing that changes while it measures`() {
        val empty = live(RunSoFar(BURST), RunStage.MEASURING)
        assertEquals(empty, live(burstRun(), RunStage.MEASURING))
        assertEquals(null, empty.share)
        assertFalse(empty.chart)
        assertEquals(Text.of(TextKey.RUN_STILL), empty.status)
    }

    @Test
    fun `a burst shows its chart when it is over`() {
        val page = live(burstRun(), RunStage.ENDED, end = RunEnd())
        assertTrue(page.chart)
        assertEquals(1.0, page.share ?: 0.0, 0.0)
        assertEquals(mapOf(ActionKind.OPEN to true), actions(page.actions))
    }

    @Test
    fun `a long run shows latency, temperature, width and how much is done`() {
        val run = longRun()
        val page = live(run, RunStage.MEASURING)
        assertTrue(page.chart)
        val names = page.facts.map { it.name.said() }
        assertEquals(
            listOf("Last latency", "Samples", "Temperature", "Thermal state", "Width"), names,
        )
        assertTrue((page.share ?: 0.0) > 0.9)
        assertEquals("Measuring round 1 of 1", page.status.said())
    }

    @Test
    fun `rounds that ended and the one that runs make the share that is done`() {
        val run = RunSoFar(BURST)
        assertEquals(0.0, run.share(), 0.0)
        val round = samples(50, 0, 6 * MS, 0)
        run.add(Part(round, LongArray(1), emptyList(), emptyList(), emptyList(), 0))
        assertEquals(0.2, run.share(), 1e-9)
        run.add(samples(25, S, 6 * MS, 1))
        assertEquals(0.3, run.share(), 1e-9)
        run.add(samples(10, 2 * S, 6 * MS, 2, warmUp = 10))
        assertEquals(0.2, run.share(), 1e-9)
    }

    @Test
    fun `stop asks once`() {
        val page = live(longRun(), RunStage.MEASURING, stopping = true)
        assertEquals(mapOf(ActionKind.STOP to false), actions(page.actions))
        assertEquals(Text.of(TextKey.RUN_STOPPING), page.status)
        val ended = live(longRun(), RunStage.ENDED, end = RunEnd(stopped = true))
        assertEquals(Text.of(TextKey.RUN_STOPPED), ended.status)
    }

    @Test
    fun `a failure is said in its words`() {
        val end = RunEnd(Verbatim("Refused: no such unit"))
        val page = live(RunSoFar(PACED), RunStage.FAILED, end = end)
        assertEquals("Failed: Refused: no such unit", page.status.said())
    }

    @Test
    fun `leaving the front, a dark screen and a call are warned of`() {
        for ((kind, key) in listOf(
            EventKind.BACKGROUND to TextKey.WARNING_BACKGROUND,
            EventKind.SCREEN_OFF to TextKey.WARNING_SCREEN_OFF,
            EventKind.CALL to TextKey.WARNING_CALL,
        )) {
            val run = RunSoFar(BURST).apply { add(Event(5, kind)) }
            assertEquals(Text.of(key), live(run, RunStage.MEASURING).warning)
        }
        val run = RunSoFar(BURST).apply { add(Event(5, EventKind.CHARGER_REMOVED)) }
        assertEquals(null, live(run, RunStage.MEASURING).warning)
    }

    @Test
    fun `a thermal state that is not known is not nominal`() {
        val run = RunSoFar(PACED).apply { add(DeviceState(1)) }
        val fact = live(run, RunStage.MEASURING).facts.single { it.name.said() == "Thermal state" }
        assertEquals("not known", fact.value.said())
    }

    // Results

    @Test
    fun `a result has its headline, its facts and its chart`() {
        val page = resultPage(historyOf(done()).result ?: throw AssertionError())
        assertEquals("1.00 ms, median latency", page.headline.said())
        val facts = page.facts.associate { it.name.said() to it.value.said() }
        assertEquals("6", facts["Samples"])
        assertEquals("7.00 ms", facts["First load"])
        assertEquals("agree", facts["Outputs on the unit cpu"])
        assertEquals("confirmed", facts["Ran on the unit"])
        assertTrue(page.chart)
    }

    @Test
    fun `rounds in which the app was away are counted and said`() {
        val folder = done { place, run ->
            if (run == 3) place.events.add(EventKind.BACKGROUND)
            if (run == 4) place.events.add(EventKind.FOREGROUND)
        }
        val page = resultPage(historyOf(folder).result ?: throw AssertionError())
        val doubts = page.doubts.map { it.said() }
        assertTrue("$doubts", doubts.any { "not in front: 1 of 2" in it })
        assertTrue("$doubts", doubts.any { it == Text.of(TextKey.DIAGNOSIS_NOT_IN_FRONT).said() })
        val row = historyList(listOf(historyOf(folder))).rows.single()
        assertTrue(row.problem?.said().orEmpty().startsWith("Suspect: "))
    }

    @Test
    fun `a failure has its stage and its message, and no chart`() {
        val folder = writeJob()
        val place = TestPlace()
        val runtime = TestRuntime(place)
        runtime.beforeLoad = { throw IllegalStateException("bad") }
        JobRun(read(folder), runtime, place).run()
        writeRecord(read(folder), Provenance("test", "app"), signer = null)
        val page = resultPage(historyOf(folder).result ?: throw AssertionError())
        assertEquals("Failed at: load", page.headline.said())
        assertTrue(page.facts.any { "bad" in it.value.said() })
        assertFalse(page.chart)
    }

    @Test
    fun `what is shared has every fact and every doubt`() {
        val page = resultPage(historyOf(done()).result ?: throw AssertionError())
        val shared = page.shared.said()
        for (fact in page.facts) assertTrue("${fact.name.said()}: ${fact.value.said()}" in shared)
        for (doubt in page.doubts) assertTrue(doubt.said() in shared)
        assertTrue(page.headline.said() in shared)
    }

    @Test
    fun `a record that cannot be read is in the history with the reason`() {
        val list = historyList(listOf(HistoryEntry("x", null, "It is not JSON.")))
        assertEquals("It is not JSON.", list.rows.single().problem?.said())
        assertEquals(null, list.rows.single().action)
    }

    @Test
    fun `a run that is under way is no result`() {
        val folder = writeJob().also(::beginRun)
        assertEquals(JobState.READY, jobIn(folder).state)
        assertNotEquals(null, historyOf(folder).problem)
    }

    // What is heard of a chart

    @Test
    fun `a chart says its numbers`() {
        val heard = describe(longRun()).said()
        for (part in listOf("53100 samples", "Temperature from 31.0 °C", "serious", "0.5 to 1")) {
            assertTrue(heard, part in heard)
        }
        assertTrue("No samples yet." in describe(emptyRun()).said())
        assertEquals(ThermalState.SERIOUS, longRun().states.mapNotNull { it.thermal }.maxOrNull())
    }
}
