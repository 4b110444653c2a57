package mobilebench.core.server

import java.io.ByteArrayInputStream
import java.io.File
import java.io.IOException
import java.nio.file.Files
import kotlin.test.AfterTest
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import mobilebench.core.JOB_SHA256
import mobilebench.core.MODEL
import mobilebench.core.MODEL_SHA256
import mobilebench.core.jobText
import mobilebench.core.jobs.NoRecord
import mobilebench.core.jobs.Why
import mobilebench.core.jobs.endRun
import mobilebench.core.json.sha256
import mobilebench.core.subjectText

private val CONTENTS = mapOf(
    "job.json" to jobText().toByteArray(),
    "subject.json" to subjectText().toByteArray(),
    "model.onnx" to MODEL,
)

/** What a server answers that does as a test says; the real one is in `tests/clients`. */
private class Answers : Http {
    val sent = ArrayList<HttpRequest>()
    var lease: String? = "lease-1"
    var files = CONTENTS
    var heartbeat = 200
    var record = 201
    var headers: Map<String, String> = emptyMap()
    var mostBytes = Int.MAX_VALUE
    val bodies = HashMap<String, ByteArray>()

    override fun send(request: HttpRequest, take: TakeBody?): HttpAnswer {
        sent += request
        val path = request.path.substringBefore('?')
        return when {
            path == "/v1/jobs/next" -> next()
            path.startsWith("/v1/artifacts/") -> artifact(request, path.substringAfterLast('/'), take)
            path.endsWith("/heartbeat") -> answer(heartbeat, """{"expires_s": 120}""")
            path.endsWith("/done") -> answer(200, """{"status": "done"}""")
            path == "/v1/records" -> answer(record, """{"record_id": "r", "status": "added"}""")
            else -> answer(404, "{}")
        }
    }

    private fun answer(status: Int, good: String): HttpAnswer {
        val problem = """{"status": $status, "code": "word", "detail": "It says $status."}"""
        return HttpAnswer(status, headers, (if (status < 300) good else problem).toByteArray())
    }

    private fun next(): HttpAnswer {
        val id = lease ?: return HttpAnswer(204, emptyMap(), ByteArray(0))
        val rows = files.map { (path, content) ->
            bodies[sha256(content)] = bodies[sha256(content)] ?: content
            """"$path": {"sha256": "${sha256(content)}", "size_bytes": ${content.size}}"""
        }
        return answer(
            200,
            """{"lease": "$id", "job": "job-7", "device": "shelf", "files": {${rows.joinToString()}},
            "expires_s": 120, "heartbeat_s": 30, "a_later_field": 1}""",
        )
    }

    private fun artifact(request: HttpRequest, hash: String, take: TakeBody?): HttpAnswer {
        val body = bodies[hash] ?: return answer(404, "")
        val from = request.headers["Range"]?.removePrefix("bytes=")?.removeSuffix("-")?.toInt() ?: 0
        if (from > body.size) return answer(416, "")
        val rest = body.copyOfRange(from, from + minOf(mostBytes, body.size - from))
        val said = mapOf("content-range" to "bytes $from-${body.size - 1}/${body.size}")
        val status = if (from > 0) 206 else 200
        take?.take(status, said, ByteArrayInputStream(rest))
        if (mostBytes < body.size) throw IOException("the connection broke")
        return HttpAnswer(status, said, ByteArray(0))
    }
}

class WorkTest {
    private val folder = Files.createTempDirectory("work").toFile()
    private val jobs = File(folder, "jobs").apply { mkdir() }
    private val answers = Answers()

    @AfterTest
    fun clear() {
        folder.deleteRecursively()
    }

    /** The work of a process that just began. */
    private fun work() =
        ServerWork(ServerClient(answers, "mb_1_s"), Queue(File(folder, "queue.json")), jobs)

    private fun step(): Step = work().step()

    private fun placeOf(step: Step) = File(jobs, checkNotNull(step.entry).folder)

    private fun paths() = answers.sent.map { it.path.substringBefore('?').substringAfterLast('/') }

    @Test
    fun `a job comes whole, is measured, and its record is sent`() {
        val place = placeOf(step())
        assertEquals("server-job-7-" + sha256("lease-1".toByteArray()).take(8), place.name)
        assertEquals(CONTENTS.keys, place.list().orEmpty().toSet())
        assertEquals(StepKind.READY, step().kind)
        File(place, "record.json").writeText("{}\n")
        assertEquals(StepKind.SENT, step().kind)
        val record = answers.sent.last()
        assertEquals("lease-1", record.headers["Mobilebench-Lease"])
        assertEquals("Bearer mb_1_s", record.headers["Authorization"])
        assertEquals("gzip", record.headers["Content-Encoding"])
        answers.lease = null
        assertEquals(StepKind.IDLE, step().kind)
        assertFalse(File(jobs, ".fetched").exists())
    }

    @Test
    fun `a download goes on where it ended, in a process that knows nothing`() {
        answers.mostBytes = 4
        repeat(3) { assertFailsWith<ServerAway> { step() } }
        val asked = answers.sent.filter { "artifacts" in it.path }.map { it.headers["Range"] }
        assertEquals(listOf(null, "bytes=4-", "bytes=8-"), asked)
        answers.mostBytes = Int.MAX_VALUE
        assertEquals(StepKind.FETCHED, step().kind)
    }

    @Test
    fun `a file with another content than its hash is not taken`() {
        answers.bodies[MODEL_SHA256] = "not a nut".toByteArray()
        val error = assertFailsWith<ServerAway> { step() }
        assertTrue("other bytes" in error.message.orEmpty(), error.message)
        answers.bodies[MODEL_SHA256] = MODEL
        assertEquals(StepKind.FETCHED, step().kind)
    }

    @Test
    fun `a path out of the folder is given back, and nothing stays`() {
        answers.files = CONTENTS + ("../../out" to MODEL)
        val step = step()
        assertEquals(StepKind.GIVEN_BACK, step.kind)
        assertTrue("leads out" in step.sentence.orEmpty(), step.sentence)
        assertEquals(emptyList(), jobs.list().orEmpty().filter { it != ".fetched" })
        assertTrue("\"refused\":\"refused\"" in String(checkNotNull(answers.sent.last().body)))
    }

    @Test
    fun `a job that this app does not take is given back with its sentence`() {
        answers.files = CONTENTS - "subject.json"
        assertEquals(StepKind.FETCHED, step().kind)
        val step = step()
        assertEquals(StepKind.GIVEN_BACK, step.kind)
        assertTrue("subject.json" in step.sentence.orEmpty(), step.sentence)
        answers.lease = null
        assertEquals(StepKind.IDLE, step().kind)
    }

    @Test
    fun `a lease that expired before the run leaves the job to others`() {
        val place = placeOf(step())
        answers.heartbeat = 410
        assertEquals(StepKind.DROPPED, step().kind)
        assertFalse(place.exists())
        assertEquals(emptyList(), Queue(File(folder, "queue.json")).entries)
    }

    @Test
    fun `a lease that expired in the run loses nothing`() {
        val place = placeOf(step())
        answers.heartbeat = 410
        File(place, "journal.jsonl").writeText("")
        assertEquals(StepKind.READY, step().kind)
        File(place, "record.json").writeText("{}\n")
        assertEquals(StepKind.SENT, step().kind)
    }

    @Test
    fun `a record that the server does not take stays and can be sent again`() {
        val place = placeOf(step())
        File(place, "record.json").writeText("{}\n")
        answers.record = 413
        val step = step()
        assertEquals(StepKind.KEPT to "It says 413.", step.kind to step.sentence)
        assertTrue("record_not_taken" in String(checkNotNull(answers.sent.last().body)))
        assertTrue(File(place, "record.json").isFile)
        answers.record = 200
        Queue(File(folder, "queue.json")).sendKeptAgain()
        assertEquals(StepKind.SENT, step().kind)
    }

    @Test
    fun `a server that is busy is asked again after what it says`() {
        File(placeOf(step()), "record.json").writeText("{}\n")
        answers.record = 429
        answers.headers = mapOf("retry-after" to "7")
        assertEquals(7_000, assertFailsWith<ServerAway> { step() }.askedMs)
        answers.headers = mapOf("retry-after" to "Fri, 27 Nov 2026 18:00:00 GMT")
        assertEquals(null, assertFailsWith<ServerAway> { step() }.askedMs)
        answers.record = 201
        assertEquals(StepKind.SENT, step().kind)
    }

    @Test
    fun `a run that the user stopped gives the job back, and one that was cut off goes on`() {
        val place = placeOf(step())
        File(place, "journal.jsonl").writeText("")
        endRun(place, NoRecord(Why.CUT_OFF, "The process ended."))
        val work = work()
        assertEquals(StepKind.READY, work.step().kind)
        repeat(3) { work.begins(checkNotNull(work.queue.current)) }
        val step = work.step()
        assertEquals(StepKind.GIVEN_BACK to "cut off: The process ended.", step.kind to step.sentence)
        assertTrue("\"cut_off\"" in String(checkNotNull(answers.sent.last().body)))
    }

    @Test
    fun `a token that was revoked ends the work and loses nothing`() {
        File(placeOf(step()), "record.json").writeText("{}\n")
        answers.record = 401
        assertEquals(401, assertFailsWith<ServerRefused> { step() }.status)
        answers.record = 201
        assertEquals(StepKind.SENT, step().kind)
    }

    @Test
    fun `more than this device takes is not fetched`() {
        val work = ServerWork(
            ServerClient(answers), Queue(File(folder, "queue.json")), jobs,
            mobilebench.core.jobs.JobLimits(mostBytes = 100),
        )
        assertEquals(StepKind.GIVEN_BACK, work.step().kind)
        assertEquals(emptyList(), paths().filter { it in answers.bodies })
    }

    @Test
    fun `a queue of another version is empty, and one that is cut off too`() {
        val file = File(folder, "queue.json")
        for (text in listOf("", "{", "[]", """{"jobs": [{"lease": 1}]}""")) {
            file.writeText(text)
            assertEquals(emptyList(), Queue(file).entries)
        }
        assertEquals(JOB_SHA256, sha256(CONTENTS.getValue("job.json")))
    }
}
