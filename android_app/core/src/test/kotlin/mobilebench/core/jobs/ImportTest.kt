package mobilebench.core.jobs

import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.File
import java.io.IOException
import java.io.InputStream
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream
import mobilebench.core.running.writeJob
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

class ImportTest {
    private val jobs = newJobs()

    private fun incoming(vararg files: Pair<String, String>) = files.asSequence()
        .map { (path, text) -> Incoming(path) { ByteArrayInputStream(text.toByteArray()) } }

    private fun zip(vararg files: Pair<String, String>): InputStream {
        val bytes = ByteArrayOutputStream()
        ZipOutputStream(bytes).use { zip ->
            for ((path, text) in files) {
                zip.putNextEntry(ZipEntry(path))
                zip.write(text.toByteArray())
            }
        }
        return ByteArrayInputStream(bytes.toByteArray())
    }

    @Test
    fun `a folder comes in under its name`() {
        val files = incoming("job.json" to "{}", "parity/a.bin" to "x")
        val folder = importJob(jobs, "phone-job", files)
        assertEquals(File(jobs, "phone-job"), folder)
        assertEquals(mapOf("job.json" to "{}", "parity/a.bin" to "x"), folder.contents())
    }

    @Test
    fun `a name that is taken or no name gets another one`() {
        assertEquals("a", importJob(jobs, "a", incoming("job.json" to "1")).name)
        assertEquals("a-2", importJob(jobs, "a", incoming("job.json" to "2")).name)
        assertEquals("job", importJob(jobs, "../..", incoming("job.json" to "3")).name)
        assertEquals("b-c", importJob(jobs, ".b/c", incoming("job.json" to "4")).name)
        assertTrue(jobs.listFiles().orEmpty().all { isJobName(it.name) })
    }

    @Test
    fun `a zip file comes in with or without the folder around it`() {
        val plain = importZip(jobs, "one.zip", zip("job.json" to "{}", "m.onnx" to "m"))
        val packed = importZip(jobs, "two.zip", zip("x/job.json" to "{}", "x/m.onnx" to "m"))
        assertEquals("one", plain.name)
        assertEquals(plain.contents(), packed.contents())
    }

    @Test
    fun `a path that leads out of the folder is refused and nothing stays`() {
        for (path in listOf("../x", "/x", "a//b", "a/../../x", "./x", "a\\..\\x", "")) {
            val message = refusal<ImportRefused> {
                importZip(jobs, "bad.zip", zip("job.json" to "{}", "$path" to "evil"))
            }
            assertTrue(message, "leads out" in message)
        }
        assertEquals(0, jobs.listFiles().orEmpty().size)
        assertEquals(false, File(jobs.parentFile, "x").exists())
    }

    @Test
    fun `what is larger than the limit is refused while it comes in`() {
        val limits = JobLimits(mostBytes = 100_000)
        // Packed it is small: the limit is of what comes out.
        val bomb = zip("job.json" to "{}", "m.onnx" to "0".repeat(5_000_000))
        val message = refusal<ImportRefused> { importZip(jobs, "bomb.zip", bomb, limits) }
        assertTrue(message, "100 kB" in message)
        assertEquals(0, jobs.listFiles().orEmpty().size)
    }

    @Test
    fun `too many files are refused`() {
        val many = Array(12) { "f$it" to "" }
        val message = refusal<ImportRefused> {
            importJob(jobs, "many", incoming(*many), JobLimits(mostFiles = 10))
        }
        assertTrue(message, "more than 10 files" in message)
    }

    @Test
    fun `what holds no job is refused`() {
        for (files in listOf(arrayOf("a.txt" to ""), arrayOf(), arrayOf("a/b/job.json" to ""))) {
            val message = refusal<ImportRefused> { importJob(jobs, "no", incoming(*files)) }
            assertTrue(message, "holds no job.json" in message)
        }
        assertEquals(0, jobs.listFiles().orEmpty().size)
    }

    @Test
    fun `a file that is no zip file is refused`() {
        val text = ByteArrayInputStream("hello".toByteArray())
        refusal<ImportRefused> { importZip(jobs, "x.zip", text) }
    }

    @Test
    fun `a file that cannot be read to its end leaves nothing`() {
        val broken = sequenceOf(
            Incoming("job.json") { ByteArrayInputStream("{}".toByteArray()) },
            Incoming("m.onnx") { throw IOException("the card is gone") },
        )
        val message = refusal<ImportRefused> { importJob(jobs, "broken", broken) }
        assertTrue(message, "the card is gone" in message)
        assertEquals(0, jobs.listFiles().orEmpty().size)
    }

    @Test
    fun `results of others and keys do not come in`() {
        val folder = importJob(
            jobs, "a",
            incoming(
                "job.json" to "{}", "record.json" to "{}", "journal.jsonl" to "", "run.key" to "k",
                "running" to "", "no-record.txt" to "refused",
            ),
        )
        assertEquals(setOf("job.json"), folder.contents().keys)
    }

    @Test
    fun `a journal does not come in under the name that the job gives it`() {
        val files = writeJob(""", "reporting": {"journal_file": "log/all.jsonl"}""")
        File(files, "log").mkdir()
        File(files, "log/all.jsonl").writeText("{}\n")
        val incoming = files.walkTopDown().filter { it.isFile }
            .map { Incoming(it.relativeTo(files).path, it::inputStream) }
        val folder = importJob(jobs, "a", incoming)
        assertEquals(JobState.READY, jobIn(folder).state)
    }
}
