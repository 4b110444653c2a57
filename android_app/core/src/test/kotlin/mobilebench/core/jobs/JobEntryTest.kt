package mobilebench.core.jobs

import java.io.File
import mobilebench.core.running.writeJob
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertTrue
import org.junit.Test

class JobEntryTest {
    private val jobs = newJobs()

    private fun add(name: String, fields: String = ""): File =
        writeJob(fields).copyRecursively(File(jobs, name)).let { File(jobs, name) }

    private fun problem(folder: File, limits: JobLimits = JobLimits()): String {
        val entry = jobIn(folder, limits)
        assertEquals(JobState.FAULTY, entry.state)
        return entry.problem.orEmpty()
    }

    @Test
    fun `jobs come by name with where they stand`() {
        add("b")
        add("a").also { File(it, "record.json").writeText("{}") }
        add("c").also { File(it, "journal.jsonl").writeText("") }
        File(jobs, ".incoming-d").mkdir()
        val entries = jobsIn(jobs)
        assertEquals(listOf("a", "b", "c"), entries.map { it.name })
        assertEquals(
            listOf(JobState.DONE, JobState.READY, JobState.CUT_OFF), entries.map { it.state },
        )
        assertTrue(entries.all { it.problem == null && it.bytes > 0 })
        assertNotNull(entries[1].job)
    }

    @Test
    fun `a folder that is not there has no jobs`() {
        assertEquals(emptyList<JobEntry>(), jobsIn(File(jobs, "none")))
    }

    @Test
    fun `an unknown field is named`() {
        val problem = problem(add("a", ", \"colour\": \"red\""))
        assertTrue(problem, "colour" in problem && "red" in problem)
    }

    @Test
    fun `a newer job is refused with its version`() {
        val folder = add("a")
        val file = File(folder, "job.json")
        file.writeText(file.readText().replace("\"schema_version\": 2", "\"schema_version\": 3"))
        val problem = problem(folder)
        assertTrue(problem, "3" in problem)
    }

    @Test
    fun `a file of the job that a run would write over is named`() {
        for (name in listOf("running", "RUN.KEY", "no-record.txt")) {
            val problem = problem(add(name, """, "reporting": {"journal_file": "$name"}"""))
            assertTrue(problem, "a file $name" in problem)
        }
    }

    @Test
    fun `a job that is cut off is refused`() {
        val folder = add("a")
        val file = File(folder, "job.json")
        file.writeText(file.readText().dropLast(9))
        assertTrue("not JSON" in problem(folder))
    }

    @Test
    fun `each lost file is named`() {
        for (name in listOf("model.onnx", "parity/inputs.bin", "subject.json", "job.json")) {
            val folder = add(name.replace('/', '-'))
            File(folder, name).delete()
            val problem = problem(folder)
            assertTrue(problem, name in problem)
        }
    }

    @Test
    fun `a job that may take too long is refused, and a limit of time heals it`() {
        val limits = JobLimits(mostNs = 1_000_000_000)
        val problem = problem(add("a"), limits)
        assertTrue(problem, "1.00 s" in problem && "limit of time" in problem)
        val healed = add("b", ", \"limits\": {\"time_ns\": 900000000}")
        assertEquals(JobState.READY, jobIn(healed, limits).state)
    }

    @Test
    fun `a wait between frames counts, which no limit of time cuts off`() {
        val hours = 4 * 3_600_000_000_000
        for (limits in listOf("", ", \"limits\": {\"time_ns\": 1000000000}")) {
            val folder = add("a${limits.length}", limits)
            val file = File(folder, "job.json")
            val frames = "\"interval_ns\": $hours, \"inferences\""
            file.writeText(file.readText().replaceFirst("\"inferences\"", frames))
            assertTrue(problem(folder).contains("up to 180 min"))
        }
    }

    @Test
    fun `more threads than libraries bear are refused`() {
        val problem = problem(add("a", ", \"threads\": 65"))
        assertTrue(problem, "65 threads" in problem && "up to 64" in problem)
    }

    @Test
    fun `a folder that is too large or has too many files is refused`() {
        val folder = add("a")
        assertTrue("up to 10 bytes" in problem(folder, JobLimits(mostBytes = 10)))
        assertTrue("more than 3 files" in problem(folder, JobLimits(mostFiles = 3)))
    }

    @Test
    fun `a folder with a strange name is refused`() {
        assertTrue("name" in problem(add("a b")))
    }

    @Test
    fun `the longest time has rests, gates and warm-ups in it, and never overflows`() {
        val job = jobIn(add("a")).job ?: throw AssertionError("no job")
        // Two rounds of a second each to warm up and to measure, and 6 ms at the gate.
        assertEquals(2 * (2_000_000_000 + 6_000_000L), job.longestNs)
        val endless = job.protocol.copy(rounds = Int.MAX_VALUE, maxDurationNs = Long.MAX_VALUE / 2)
        assertEquals(Long.MAX_VALUE, endless.longestNs)
    }
}
