package mobilebench.core.screens

import java.util.Random
import kotlin.math.abs
import kotlin.math.floor
import kotlin.math.log10
import kotlin.math.pow
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

class TicksTest {
    @Test
    fun `an axis holds its values, with round ticks, and no more than asked for`() {
        val random = Random(3)
        repeat(2000) {
            val low = random.nextGaussian() * 10.0.pow(random.nextInt(9) - 4)
            val high = low + abs(random.nextGaussian()) * 10.0.pow(random.nextInt(9) - 4)
            val most = 2 + random.nextInt(7)
            val axis = axisOver(low, high, most)
            assertTrue("$low to $high: $axis", axis.low <= low && high <= axis.high)
            assertTrue("$low to $high: $axis", axis.ticks.size in 2..maxOf(most, 3))
            val step = axis.ticks[1].value - axis.ticks[0].value
            val digit = step / 10.0.pow(floor(log10(step * 1.0000001)))
            assertTrue("a step of $step", listOf(1.0, 2.0, 5.0).any { abs(it - digit) < 1e-3 })
        }
    }

    @Test
    fun `values that are nearly equal do not fill the height`() {
        val axis = axisOver(5.0, 5.0001, 5)
        assertTrue("$axis", axis.high - axis.low > 0.05)
    }

    @Test
    fun `labels of an axis differ and have no minus before 0`() {
        for ((low, high) in listOf(-1.0 to 1.0, 0.0 to 0.001, 4.98 to 5.02, 0.0 to 0.0)) {
            val labels = axisOver(low, high, 6).ticks.map { it.label }
            assertEquals(labels.distinct(), labels)
            val isZero = { label: String -> label.trim('-', '0', '.').isEmpty() }
            assertTrue("$labels", labels.none { it.startsWith("-") && isZero(it) })
        }
    }

    @Test
    fun `given levels are the ticks, with room around them`() {
        val axis = axisOf(listOf(1.0, 0.5, 0.75, 0.5))
        assertEquals(listOf("0.5", "0.75", "1"), axis.ticks.map { it.label })
        assertTrue(axis.low < 0.5 && axis.high > 1.0)
        assertTrue(axisOf(listOf(1.0)).share(1.0) == 0.5)
    }

    @Test
    fun `time is in seconds up to two minutes and in minutes from there`() {
        assertEquals(TextKey.TIME_IN_SECONDS, timeAxis(120 * S) { _, _ -> true }.unit)
        assertEquals(TextKey.TIME_IN_MINUTES, timeAxis(121 * S) { _, _ -> true }.unit)
    }

    @Test
    fun `ticks of time become fewer until they fit`() {
        val ticks = timeAxis(60 * S) { ticks, _ -> ticks.size <= 7 }.ticks
        assertEquals(listOf("0", "10", "20", "30", "40", "50", "60"), ticks.map { it.label })
        assertEquals(1, timeAxis(60 * S) { _, _ -> false }.ticks.size)
    }
}
