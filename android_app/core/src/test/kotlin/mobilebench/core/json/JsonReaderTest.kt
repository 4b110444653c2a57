package mobilebench.core.json

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

class JsonReaderTest {
    private val foreign = listOf(
        "", " ", "nul", "'a'", "{a: 1}", "{\"a\"}", "{\"a\" 1}", "{\"a\": 1,}", "[1,]", "[1 2]",
        "[", "]", "{", "\"", "01", "+1", "-", ".5", "1.", "1e", "0x1", "NaN", "-Infinity", "1 2",
        "[] x", "/* a */ 1", "# a\n1", "\"\\x\"", "\"\\u12\"", "\"a\nb\"", "\"\u0000\"",
        "{\"a\": NaN}", "[".repeat(100_000), "{\"a\":".repeat(100_000), "\uFEFF",
    )

    @Test
    fun `what is not JSON is refused as that`() {
        for (text in foreign) {
            val refusal = assertFailsWith<NotJson> {
                readJson(text.toByteArray(), "the job")
            }
            val message = refusal.message.orEmpty()
            assertTrue(message.startsWith("the job is not JSON"), message)
        }
    }

    @Test
    fun `nesting ends at 200 levels`() {
        readJson("[".repeat(200) + "]".repeat(200))
        val refusal = assertFailsWith<NotJson> { readJson("[".repeat(201) + "]".repeat(201)) }
        assertTrue("200 levels" in refusal.message.orEmpty(), refusal.message)
    }

    @Test
    fun `bytes that are not UTF-8 are refused`() {
        val overlong = byteArrayOf(0xC0.toByte(), 0x80.toByte())
        val surrogate = byteArrayOf(0xED.toByte(), 0xA0.toByte(), 0x80.toByte())
        val utf16 = "{}".toByteArray(Charsets.UTF_16)
        val latin = byteArrayOf(0xE9.toByte())
        for (bytes in listOf(overlong, surrogate, latin)) {
            val quoted = byteArrayOf(0x22) + bytes + byteArrayOf(0x22)
            assertFailsWith<NotJson> { readJson(quoted) }
        }
        assertFailsWith<NotJson> { readJson(utf16) }
    }

    @Test
    fun `half of a surrogate pair is no text`() {
        val halves = listOf("\\ud800", "\\udc00", "\\ud800\\ud800", "\\udc00\\ud800", "a\\ud800b")
        for (half in halves) {
            assertFailsWith<DocumentRefused> { readJson("\"$half\"") }
            assertFailsWith<DocumentRefused> { readJson("{\"$half\": 1}") }
        }
        assertEquals(JsonText("\uD83D\uDCF1"), readJson("\"\\ud83d\\udcf1\""))
    }

    @Test
    fun `whole numbers end before 2 to the 53`() {
        assertEquals(JsonInt(9007199254740991), readJson("9007199254740991"))
        assertEquals(JsonInt(-9007199254740991), readJson("-9007199254740991"))
        assertEquals(JsonInt(0), readJson("-0"))
        for (number in listOf("9007199254740992", "-9007199254740992", "1".repeat(100_000))) {
            val refusal = assertFailsWith<DocumentRefused> { readJson(number) }
            assertTrue(refusal.message.orEmpty().length < 200)
        }
    }

    @Test
    fun `a number with a point or an exponent is not whole`() {
        assertEquals(JsonDouble(1.0), readJson("1.0"))
        assertEquals(JsonDouble(1000.0), readJson("1e3"))
        assertEquals(JsonDouble(-0.0), readJson("-0.0"))
        assertEquals(JsonDouble(0.0), readJson("1e-999"))
        assertFailsWith<DocumentRefused> { readJson("1e999") }
    }

    @Test
    fun `of a field that is there twice the last one counts`() {
        val read = readJson("{\"a\": 1, \"b\": 2, \"a\": 3}") as JsonObject
        assertEquals(JsonInt(3), read["a"])
        assertEquals(listOf("a", "b"), read.fields.keys.toList())
    }

    @Test
    fun `a mark of the byte order before the text is passed over`() {
        assertEquals(JsonList(emptyList()), readJson("\uFEFF[]".toByteArray()))
    }

    @Test
    fun `fields keep their order`() {
        val text = "{\"z\":1,\"a\":[true,null,\"\u2028/\"],\"m\":{}}"
        assertEquals(text, readJson(text).text())
    }
}
