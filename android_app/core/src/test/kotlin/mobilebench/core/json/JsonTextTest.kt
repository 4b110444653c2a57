package mobilebench.core.json

import java.util.Random
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull

class JsonTextTest {
    /** From appendix B of RFC 8785, and numbers that simpler rules get wrong. */
    private val numbers = mapOf(
        0.0 to "0", -0.0 to "0", 5e-324 to "5e-324", -5e-324 to "-5e-324",
        1.7976931348623157e308 to "1.7976931348623157e+308",
        9007199254740992.0 to "9007199254740992",
        295147905179352830000.0 to "295147905179352830000",
        9.999999999999997e22 to "9.999999999999997e+22", 1e23 to "1e+23",
        1.0000000000000001e23 to "1.0000000000000001e+23",
        999999999999999700000.0 to "999999999999999700000",
        999999999999999900000.0 to "999999999999999900000", 1e21 to "1e+21",
        9.999999999999997e-7 to "9.999999999999997e-7", 0.000001 to "0.000001",
        333333333.3333332 to "333333333.3333332", 333333333.33333325 to "333333333.33333325",
        -0.0000033333333333333333 to "-0.0000033333333333333333",
        1424953923781206.2 to "1424953923781206.2", 2e-3 to "0.002", 1e7 to "10000000",
        // Two to the minus 44: the closest number of 16 digits is another double.
        5.684341886080802e-14 to "5.684341886080802e-14",
        // Of this the JVM before 19 writes a digit too many.
        2.2250738585072014e-308 to "2.2250738585072014e-308", 4.35 to "4.35", 2.0e22 to "2e+22",
        1.0E23 / 3 to "3.333333333333333e+22",
    )

    @Test
    fun `numbers are written as ECMAScript writes them`() {
        for ((number, text) in numbers) assertEquals(text, ecmaScript(number))
    }

    @Test
    fun `every number is read again as it was`() {
        val random = Random(1)
        repeat(20_000) {
            val number = java.lang.Double.longBitsToDouble(random.nextLong())
            if (!number.isNaN() && !number.isInfinite()) {
                assertEquals(number, ecmaScript(number).toDouble(), 0.0)
            }
        }
    }

    @Test
    fun `what JSON does not have is not written`() {
        for (number in listOf(Double.NaN, Double.POSITIVE_INFINITY)) {
            assertFailsWith<IllegalArgumentException> { JsonDouble(number).text() }
        }
        assertFailsWith<IllegalArgumentException> { JsonText("\uD800").text() }
        assertFailsWith<IllegalArgumentException> { JsonInt(1L shl 53).canonical() }
    }

    @Test
    fun `a number that is not whole has a point but in the canonical form`() {
        assertEquals("[1.0,100.0,0.5,1e+21,2]", readJson("[1.0, 1e2, 0.5, 1e21, 2]").text())
        assertEquals("[1,100,0.5,1e+21,2]", readJson("[1.0, 1e2, 0.5, 1e21, 2]").canonical())
    }

    @Test
    fun `the canonical form has its keys in the order of UTF-16 units`() {
        val text = "{\"\uFB33\":1,\"\uD83D\uDE00\":2,\"\u20AC\":3,\"\\r\":4,\"1\":5}"
        val sorted = "{\"\\r\":4,\"1\":5,\"\u20AC\":3,\"\uD83D\uDE00\":2,\"\uFB33\":1}"
        assertEquals(sorted, readJson(text).canonical())
    }

    @Test
    fun `hexadecimal digits are read in either case, and nothing else is`() {
        assertEquals("00ff7f", hexadecimal(byteArrayOf(0, -1, 127)))
        assertEquals("00ff", bytesOrNull("00FF")?.let { hexadecimal(it) })
        for (text in listOf("0", "0g", "\u0661\u0661", "+1", " 11 ")) assertNull(bytesOrNull(text))
    }
}
