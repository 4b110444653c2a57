package mobilebench.core.sensors

import mobilebench.core.documents.CurrentUnit
import mobilebench.core.documents.Discharging
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

class BatteryTest {
    private val raw = RawBattery(
        level = 47, scale = 100, status = 3, plugged = 0, temperature = 312, voltage = 3870,
        currentNow = -412_000, chargeCounter = 1_800_000,
    )

    @Test
    fun `raw values come in the units of documents`() {
        val battery = batteryOf(raw)
        assertEquals(0.47, battery.fraction ?: 0.0, 1e-9)
        assertEquals(31.2, battery.temperatureC ?: 0.0, 1e-9)
        assertEquals(3870L, battery.voltageMv)
        assertEquals(false, battery.charging)
        assertEquals(-412_000L, battery.current)
    }

    @Test
    fun `what is not given or cannot be is not known`() {
        val nothing = Battery(null, null, null, null, null, null, null)
        assertEquals(nothing, batteryOf(RawBattery()))
        assertEquals(
            nothing,
            batteryOf(
                RawBattery(
                    level = 120, scale = 100, status = 1, plugged = -1, temperature = 0,
                    voltage = 4, currentNow = Long.MIN_VALUE, chargeCounter = 0,
                ),
            ),
        )
    }

    @Test
    fun `plugged is not charging`() {
        for (status in listOf(4, 5)) {
            val battery = batteryOf(raw.copy(status = status, plugged = 1))
            assertEquals(true, battery.plugged)
            assertEquals(false, battery.charging)
        }
        assertEquals(true, batteryOf(raw.copy(status = 2, plugged = 2)).charging)
    }

    private fun log(count: Int, change: (Int) -> RawBattery) = PowerLog().apply {
        for (index in 0 until count) add(index * 1_000_000_000L, batteryOf(change(index)))
    }

    @Test
    fun `the sign of the current is known off the charger alone, and where all agree`() {
        val drained = { index: Int -> raw.copy(currentNow = -400_000L - index) }
        assertEquals(Discharging.NEGATIVE, log(30, drained).discharging)
        assertEquals(
            Discharging.POSITIVE, log(30) { raw.copy(currentNow = 400L + it) }.discharging,
        )
        assertEquals(
            Discharging.UNKNOWN,
            log(30) { raw.copy(currentNow = if (it == 7) 5 else -400L) }.discharging,
        )
        assertEquals(
            Discharging.UNKNOWN,
            log(30) { drained(it).copy(plugged = 1, status = 2) }.discharging,
        )
        assertEquals(Discharging.UNKNOWN, log(3, drained).discharging)
    }

    @Test
    fun `a counter that agrees with the level is trusted`() {
        val log = log(100) {
            raw.copy(level = 90 - it / 10, chargeCounter = 3_600_000L - 4_000L * it)
        }
        assertEquals(Counter.AGREES, log.counter)
        assertEquals(true, log.take()?.counterTrusted)
    }

    @Test
    fun `a counter that moves with the level alone is a percentage`() {
        val log = log(100) {
            raw.copy(level = 90 - it / 10, chargeCounter = 40_000L * (90 - it / 10))
        }
        assertEquals(Counter.PERCENTAGE, log.counter)
        assertEquals(false, log.take()?.counterTrusted)
        assertEquals(Counter.PERCENTAGE, log(2) { raw.copy(chargeCounter = 47) }.counter)
    }

    @Test
    fun `a counter that moves otherwise than the level is not trusted`() {
        val log = log(100) {
            raw.copy(level = 90 - it / 10, chargeCounter = 3_600_000L - 12_000L * it)
        }
        assertEquals(Counter.DISAGREES, log.counter)
    }

    @Test
    fun `a short run tells nothing of the counter`() {
        val log = log(5) { raw.copy(chargeCounter = 1_800_000L - 100 * it) }
        assertEquals(Counter.NOT_KNOWN, log.counter)
        assertEquals(null, log.take()?.counterTrusted)
    }

    @Test
    fun `readings stay raw and are given once`() {
        val log = log(3) { raw }
        val power = log.take()
        assertEquals(3, power?.readings?.size)
        assertEquals(CurrentUnit.UNKNOWN, power?.currentUnit)
        assertEquals(-412_000L, power?.readings?.first()?.current)
        assertEquals(null, log.take())
    }

    @Test
    fun `an energy always has the doubt of its unit, and more on a charger`() {
        assertTrue("the unit of the current is not known" in log(50) { raw }.doubts())
        assertTrue("a charger was connected" in log(50) { raw.copy(plugged = 1) }.doubts())
        val updated = log(50) { raw.copy(currentNow = -400L - it) }.doubts()
        assertTrue(updated.none { "updated" in it })
        assertTrue(log(50) { raw }.doubts().any { "updated 0 times" in it })
    }
}
