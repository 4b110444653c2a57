package mobilebench.core.thermal

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import mobilebench.core.documents.Aim
import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Policy
import mobilebench.core.documents.PolicyRule
import mobilebench.core.documents.Refused
import mobilebench.core.documents.ThermalState

class ControllersTest {
    private val costs = listOf(WidthCost(1.0, 80_000_000, 70.0), WidthCost(0.5, 30_000_000, 60.0))

    @Test
    fun `a parameter that the rule does not have is refused by its name`() {
        val message = refusal(Policy(PolicyRule.DEADLINE, parameters = mapOf("margin_c" to 1.0)))
        assertTrue("has no parameter 'margin_c'; it has quiet_ns, longest_ns" in message, message)
    }

    @Test
    fun `a rule without parameters says so`() {
        val message = refusal(Policy(PolicyRule.FIXED, parameters = mapOf("gain" to 0.1)))
        assertTrue("has no parameter 'gain'; it has none." in message, message)
    }

    @Test
    fun `a number out of its range is refused with the range`() {
        for (number in listOf(-0.1, 1.5, Double.NaN)) {
            val message = refusal(Policy(PolicyRule.DEADLINE, parameters = mapOf("gain" to number)))
            assertTrue("gain" in message && "from 0.0 to 1.0" in message, message)
        }
    }

    @Test
    fun `frames without a pace need a deadline in the aim`() {
        for (rule in PolicyRule.values().filter { it != PolicyRule.FIXED }) {
            val error = assertFailsWith<Refused> { controller(Policy(rule), costs, null) }
            assertTrue("needs a deadline" in error.message.orEmpty(), error.message)
            controller(Policy(rule, Aim(deadlineNs = 1)), costs, null)
        }
        controller(Policy(), costs, null)
    }

    @Test
    fun `a number that is not finite is not known`() {
        val reading = Reading(
            state = ThermalState.FAIR, headroom = Double.NaN, skinC = Double.POSITIVE_INFINITY,
            batteryC = 31.5,
        )
        assertEquals(mapOf("state" to 1.0, "battery_c" to 31.5), reading.known())
        assertEquals(HeatSource.BATTERY, heatSource(reading))
    }

    @Test
    fun `a reading has the hottest sensor of a kind, and the cap as a share of the highest`() {
        val readings = Readings()
        val skins = mapOf("Skin-1" to 30.0, "back skin" to 33.0, "cpu" to 70.0)
        readings.of(DeviceState(0, cpuCapMhz = 2000.0))
        val reading = readings.of(DeviceState(1, temperaturesC = skins, cpuCapMhz = 1500.0))
        assertEquals(mapOf("skin_c" to 33.0, "cap" to 0.75), reading.known())
        assertEquals(emptyMap(), Readings().of(DeviceState(0, cpuCapMhz = 0.0)).known())
    }

    @Test
    fun `the largest excess counts, and what is not known is no excess`() {
        val aim = Aim(skinC = 38.0, batteryC = 40.0, headroom = 0.9, uncapped = true)
        assertEquals(2.5, excess(aim, Reading(skinC = 37.0, batteryC = 42.5), capped = true))
        assertEquals(-10.0, excess(aim, Reading(), capped = false))
        assertTrue(excess(Aim(skinC = 38.0), Reading(batteryC = 60.0), capped = false).isNaN())
    }

    private fun refusal(policy: Policy): String =
        assertFailsWith<Refused> { controller(policy, costs, 100) }.message.orEmpty()
}
