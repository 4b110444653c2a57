package mobilebench.core.numbers

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

class SummaryTest {
    @Test
    fun `sums are those of NumPy to the last digit`() {
        // numpy.sum of the same numbers, version 2; a plain sum of 1000 is 155922177169.7142.
        val sums = mapOf(
            7 to 1090485803.2857141,
            8 to 1110984161.7142859,
            100 to 15813697860.285711,
            129 to 20089904305.428574,
            1000 to 155922177169.7143,
        )
        for ((count, expected) in sums) assertEquals(expected, sum(numbers(count)))
    }

    @Test
    fun `percentiles are those of NumPy to the last digit`() {
        for ((count, expected) in mapOf(8 to 234844490.87142858, 1000 to 279476020.0857143)) {
            assertEquals(expected, percentileOfOrdered(numbers(count).apply { sort() }, 90.0))
        }
    }

    @Test
    fun `a part of the numbers can be summed`() {
        val all = numbers(500)
        assertEquals(sum(all.copyOfRange(3, 401)), sum(all, 3, 401))
        assertEquals(sum(all.copyOfRange(3, 401)) / 398, mean(all, 3, 401))
    }

    @Test
    fun `a median leaves its numbers in their order`() {
        val numbers = doubleArrayOf(3.0, 1.0, 2.0, 10.0)
        assertEquals(2.5, median(numbers))
        assertEquals(listOf(3.0, 1.0, 2.0, 10.0), numbers.asList())
    }

    @Test
    fun `nothing has no summary`() {
        assertFailsWith<IllegalArgumentException> { summarise(LongArray(0)) }
        assertFailsWith<IllegalArgumentException> { median(DoubleArray(0)) }
        assertFailsWith<IllegalArgumentException> { percentile(LongArray(0), 50.0) }
        assertFailsWith<IllegalArgumentException> { wilsonInterval(0, 0) }
        assertFailsWith<IllegalArgumentException> { wilsonInterval(2, 1) }
        val message = assertFailsWith<IllegalArgumentException> {
            trimmedMean(doubleArrayOf(1.0, 2.0), 1, 1)
        }.message.orEmpty()
        assertTrue("2 values cannot do without 1 and 1" in message, message)
    }

    /** The numbers of a small generator, over 7. */
    private fun numbers(count: Int): DoubleArray {
        var state = 0x12345L
        return DoubleArray(count) {
            state = (state * 1_103_515_245 + 12_345) % (1L shl 31)
            state / 7.0
        }
    }
}
