package mobilebench.core.documents

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull
import kotlin.test.assertTrue
import mobilebench.core.jobText
import mobilebench.core.json.DocumentRefused
import mobilebench.core.json.JsonObject
import mobilebench.core.json.readJson
import mobilebench.core.json.text

class DocumentsTest {
    private fun read(more: String = "") = readJob(jobText(more).toByteArray())

    @Test
    fun `every schema is one that this reader knows`() {
        for (kind in DocumentKind.values()) {
            val refusal = assertFailsWith<DocumentRefused> {
                kind.read(JsonObject(emptyMap()), "it")
            }
            assertTrue(refusal.message.orEmpty().startsWith("it is not valid: "), refusal.message)
        }
    }

    @Test
    fun `what is left out has the default of the schema`() {
        val job = read().job
        assertEquals(ComputeUnit.CPU, job.computeUnit)
        assertEquals(Reporting("journal.jsonl", 1_000_000_000), job.reporting)
        assertEquals(Gate(ThermalState.NOMINAL, 1_000_000_000, 300_000_000_000), job.protocol.gate)
        assertEquals(Policy(), job.policy)
        assertEquals(Limits(), job.limits)
        assertNull(job.parity)
        assertEquals("image 1x3x8x8 float32", job.inputs.single().toString())
    }

    @Test
    fun `a refusal names the place and the value`() {
        val sentences = mapOf(
            ", \"limits\": {\"time_ns\": 1.5}" to "at limits.time_ns: 1.5 is not a whole number",
            ", \"threads\": true" to "at threads: true is not a whole number",
            ", \"limits\": {\"warmest\": \"hot\"}" to
                "at limits.warmest: \"hot\" is not nominal or fair or serious or critical",
            ", \"colour\": [1]" to "nothing is known of the field colour, which is [1]",
            ", \"variants\": {}" to "at variants: {} is not a list",
            ", \"policy\": {\"aim\": {\"deadline_ns\": 0}}" to
                "at policy.aim: deadline_ns is 0; it has to be from 1 to 9007199254740991",
            ", \"policy\": {\"parameters\": {\"Margin\": 1}}" to
                "at policy: the parameter \"Margin\" is not small letters, digits and _",
            ", \"reporting\": {\"journal_file\": \"a/../b\"}" to
                "at reporting: the file \"a/../b\" is not a relative path inside the folder",
            ", \"upload_url\": \"ftp://lab.example\"" to "upload_url is not an address that begins",
            ", \"threads\": 4294967297" to "threads is 4294967297, more than this device can count",
            ", \"parity\": {}" to "at parity: batches is missing",
        )
        for ((more, sentence) in sentences) {
            val refusal = assertFailsWith<DocumentRefused> { read(more) }
            assertTrue(sentence in refusal.message.orEmpty(), refusal.message)
        }
    }

    @Test
    fun `a password is in no refusal`() {
        for (url in listOf("https://me:secret@lab.example", "https://me:sec ret@lab.example")) {
            val refusal = assertFailsWith<DocumentRefused> {
                read(", \"upload_url\": \"$url\"")
            }
            assertTrue("upload_url" in refusal.message.orEmpty(), refusal.message)
            assertTrue("ret" !in refusal.message.orEmpty(), refusal.message)
        }
    }

    @Test
    fun `an input that no array holds is refused`() {
        val large = listOf("[2147483647]", "[65536, 65536]", "[9007199254740991]")
        for (shape in large + "[1, 0]" + "[-1]") {
            val text = jobText().replace("[1, 3, 8, 8]", shape)
            val refusal = assertFailsWith<DocumentRefused> { readJob(text.toByteArray()) }
            assertTrue("image" in refusal.message.orEmpty(), refusal.message)
        }
    }

    @Test
    fun `the protocol of half an hour is there at every rate, and at no other`() {
        val paced = Protocols.definition("paced-7fps-30min-1")
        assertEquals(142857142L, paced?.whole("interval_ns"))
        assertTrue(paced?.text("purpose").orEmpty().startsWith("heat: 7 frames a second"))
        for (rate in listOf("0", "241", "07", "-7", "{fps}", "")) {
            assertNull(Protocols.definition("paced-${rate}fps-30min-1"), rate)
        }
        for (id in listOf("burst-2", "", "paced-fps-30min-1")) assertNull(Protocols.definition(id))
        assertEquals(142857142L, Protocols.named("paced-7fps-30min-1")?.intervalNs)
        assertEquals(5, Protocols.named("burst-1")?.rounds)
        assertTrue(Protocols.ids.last() == "paced-NNfps-30min-1" && "burst-1" in Protocols.ids)
    }

    @Test
    fun `a sensor that reads what cannot be is not known`() {
        val state = DeviceState(
            tNs = 0,
            temperaturesC = mapOf("skin" to 31.0, "broken" to -273.15, "none" to Double.NaN),
            headroom = Double.NaN,
            batteryFraction = -0.01,
            cpuMhz = 2e9,
        )
        assertEquals("{\"t_ns\":0,\"temperatures_c\":{\"skin\":31.0}}", state.toJson().text())
        val power = Power(listOf(PowerReading(0, 2.0, Long.MIN_VALUE, 0, null)))
        for (column in listOf("level", "current", "voltage_mv", "charging")) {
            assertEquals(readJson("[null]"), power.toJson()[column], column)
        }
    }
}
