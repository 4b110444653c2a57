package mobilebench.core.screens

import java.util.Random
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

class SeriesTest {
    private fun series(vararg values: Double) =
        Series(LongArray(values.size) { it * S }, doubleArrayOf(*values))

    @Test
    fun `thinning keeps the lowest and the highest value of each column`() {
        val random = Random(7)
        val values = DoubleArray(8_192) { random.nextDouble() }
        val whole = Series(LongArray(8_192) { it.toLong() }, values)
        val dots = thinned(whole, 8_192, 64).single()
        for (column in 0 until 64) {
            val mine = values.slice(column * 128 until (column + 1) * 128)
            val shown = dots.filter { it.tNs / 128 == column.toLong() }.map { it.value }
            assertEquals(mine.min(), shown.min(), 0.0)
            assertEquals(mine.max(), shown.max(), 0.0)
            assertEquals(mine.first(), shown.first(), 0.0)
            assertEquals(mine.last(), shown.last(), 0.0)
            assertTrue(shown.size <= 4)
        }
        assertEquals(dots.sortedBy { it.tNs }, dots)
    }

    @Test
    fun `few values stay as they are`() {
        val dots = thinned(series(3.0, 1.0, 2.0), 3 * S, 100).single()
        assertEquals(listOf(3.0, 1.0, 2.0), dots.map { it.value })
    }

    @Test
    fun `a line ends at a gap, also within one column`() {
        val gap = Double.NaN
        val lines = thinned(series(1.0, gap, 2.0, 3.0, gap, gap, 4.0), 7 * S, 1)
        assertEquals(listOf(1, 2, 1), lines.map { it.size })
    }

    @Test
    fun `gaps alone are no line`() {
        assertEquals(0, thinned(series(Double.NaN, Double.NaN), S, 10).size)
        assertEquals(0, thinned(series(), S, 10).size)
        assertEquals(null, series(Double.NaN).extent())
    }

    @Test
    fun `a step holds its value until the next one and to the end`() {
        val steps = stepped(series(1.0, 1.0, 0.5), 10 * S)
        assertEquals(listOf(0L, 2 * S, 2 * S, 10 * S), steps.tNs.toList())
        assertEquals(listOf(1.0, 1.0, 0.5, 0.5), steps.values.toList())
    }
}
