package mobilebench.core.journal

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import mobilebench.core.JOB_SHA256
import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.DocumentKind
import mobilebench.core.documents.Failure
import mobilebench.core.documents.GateLog
import mobilebench.core.documents.Intact
import mobilebench.core.documents.Load
import mobilebench.core.documents.LoadKind
import mobilebench.core.documents.Phase
import mobilebench.core.documents.Samples
import mobilebench.core.documents.Stage
import mobilebench.core.documents.ThermalState
import mobilebench.core.documents.deviceKey
import mobilebench.core.documents.list
import mobilebench.core.documents.part
import mobilebench.core.documents.readJobFolder
import mobilebench.core.documents.readMeasurement
import mobilebench.core.documents.requireIntact
import mobilebench.core.documents.signed
import mobilebench.core.documents.text
import mobilebench.core.journalOf
import mobilebench.core.json.DocumentRefused
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText
import mobilebench.core.json.canonical
import mobilebench.core.json.readJson
import mobilebench.core.json.text
import mobilebench.core.roundLine
import mobilebench.core.start
import mobilebench.core.writeJobFolder
import org.junit.Rule
import org.junit.rules.TemporaryFolder

private const val FRAME_NS = 33_333_333L

class RecordsTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val given by lazy { readJobFolder(writeJobFolder(folder.root)) }
    private val provenance = Provenance("1.0", "adb")

    private fun recordOf(lines: List<Line>, crash: Failure? = null): JsonObject =
        recordOf(given, readJournal(journalOf(lines), JOB_SHA256), provenance, crash)

    /** Return half an hour at 30 frames a second, with a reading in each second. */
    private fun halfAnHour(): List<Line> = listOf(Line(start = start())) +
        (0 until 1800).map { second -> secondLine(second) } +
        Line(end = End(DeviceState(1_800_000_000_000)))

    private fun secondLine(second: Int): Line {
        val began = second * 30 * FRAME_NS
        val phase = if (second == 0) Phase.WARM_UP else Phase.MEASURED
        return Line(
            loads = if (second == 0) listOf(Load(LoadKind.FIRST, 3_000_000)) else emptyList(),
            gates = if (second == 0) listOf(GateLog(0, null, open = false)) else emptyList(),
            samples = Samples(
                LongArray(30) { began + it * FRAME_NS },
                LongArray(30) { 12_345_678L + (second * 31 + it * 17) % 9_999 },
                Array(30) { phase }, IntArray(30),
                DoubleArray(30) { if (second > 900) 0.5 else 1.0 },
            ),
            states = listOf(
                DeviceState(
                    began, ThermalState.FAIR,
                    mapOf("skin" to 31.5 + second % 10, "battery" to 30.0),
                    headroom = 0.1 + second % 7 / 10.0, headroomAgeNs = 1_000_000L,
                    batteryFraction = 0.93, charging = false, cpuCapMhz = 2850.0,
                )
            ),
            peakBytes = 180_000_000,
        )
    }

    @Test
    fun `half an hour at 30 frames a second has less than 2 MB, and is read again`() {
        val record = recordOf(halfAnHour())
        val text = record.text()
        assertTrue(text.toByteArray().size < 2_000_000, "${text.length}")
        val read = DocumentKind.RECORD.read(readJson(text), "the record")
        val measurement = readMeasurement(read.part("outcome"))
        assertEquals(54_000, measurement.samples.size)
        assertEquals(53_970, measurement.samples.phase.count { it == Phase.MEASURED })
        assertEquals(26_970, measurement.samples.width.count { it == 0.5 })
        assertEquals(record.canonical(), readJson(text).let { (it as JsonObject).canonical() })
    }

    @Test
    fun `the record holds the job and what the subject says, as they came`() {
        val line = roundLine(0, 10_000_000, kind = LoadKind.FIRST)
        val record = recordOf(listOf(Line(start = start()), line))
        assertEquals(given.subject["artifact"], record["artifact"])
        assertEquals(given.document.tree, record["job"])
        assertEquals("2026-01-02T03:04:05.678Z", record.text("created"))
        assertEquals(32, record.text("record_id").length)
        val outcome = record.part("outcome")
        assertEquals("suspect", outcome.text("validity"))
        assertTrue(JsonText("cut off") in outcome.list("reasons"))
        DocumentKind.RECORD.read(record, "the record")
    }

    @Test
    fun `a process that crashed before it measured has the failure that was seen outside`() {
        val crash = Failure(Stage.LOAD, "Crash", "signal 11")
        val record = recordOf(listOf(Line(start = start())), crash)
        assertEquals(JsonText("signal 11"), record.part("outcome")["message"])
        DocumentKind.RECORD.read(record, "the record")
    }

    @Test
    fun `a signed record that was changed is refused`() {
        val line = roundLine(0, 10_000_000, kind = LoadKind.FIRST)
        val record = recordOf(listOf(Line(start = start()), line))
        assertEquals(Intact.UNSIGNED, requireIntact(record, "it"))
        assertEquals(record, signed(record, signer = null))
        val signed = signed(record, deviceKey(folder.root.resolve("key")))
        val read = DocumentKind.RECORD.read(readJson(signed.text()), "it")
        assertEquals(Intact.SIGNED, requireIntact(readJson(signed.text()) as JsonObject, "it"))
        assertEquals(signed["signature"], read["signature"])
        val spoilt = listOf(
            signed.text().replace("12000000", "12000001"),
            signed.text().replace("\"value\":\"", "\"value\":\"00"),
            signed.text().replace("\"public_key\":\"", "\"public_key\":\"zz"),
            signed.text().replace("ed25519-jcs", "ed25519"),
            JsonObject(signed.fields + ("signature" to JsonText("none"))).text(),
        )
        for (text in spoilt) {
            val refusal = assertFailsWith<DocumentRefused> {
                requireIntact(readJson(text) as JsonObject, "it")
            }
            assertTrue("signature" in refusal.message.orEmpty(), refusal.message)
        }
    }
}
