package mobilebench.core.sensors

import mobilebench.core.documents.ThermalState
import mobilebench.core.documents.Unreadable
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

class ThermalTest {
    private val second = HeadroomReader.LEAST_INTERVAL_NS

    @Test
    fun `each status has its state`() {
        val status = ThermalStatus().apply { sawHeadroom(0.5) }
        val states = (0..6).map { status.read(it).value }
        val (nominal, fair, serious, critical) = ThermalState.values()
        assertEquals(
            listOf(nominal, fair, fair, serious, critical, critical, critical), states,
        )
    }

    @Test
    fun `status 0 is not known until something shows that the sensors work`() {
        assertEquals(Missing.NOT_READY, ThermalStatus().read(0))
        for (show in listOf<ThermalStatus.() -> Unit>(
            { sawThresholds(mapOf(3 to 1.0f)) }, { sawHeadroom(0.3) }, { read(2) },
        )) {
            val status = ThermalStatus().apply(show)
            assertEquals(ThermalState.NOMINAL, status.read(0).value)
        }
    }

    @Test
    fun `empty thresholds and a headroom of 0 show nothing`() {
        val status = ThermalStatus()
        status.sawThresholds(emptyMap())
        status.sawThresholds(mapOf(3 to Float.NaN))
        status.sawHeadroom(0.0)
        assertFalse(status.works)
    }

    @Test
    fun `a status that Android does not have is absent`() {
        assertEquals(Missing.ABSENT, ThermalStatus().read(null))
        assertEquals(Missing.ABSENT, ThermalStatus().read(7))
        assertEquals(Missing.ABSENT, ThermalStatus().read(-1))
    }

    @Test
    fun `the system is asked once a second and the value grows old between`() {
        var asked = 0
        val reader = HeadroomReader { 0.4f + 0.1f * asked++ }
        reader.read(0)
        val between = reader.read(second / 2).value
        assertEquals(1, asked)
        assertEquals(second / 2, between?.ageNs)
        assertEquals(0L, reader.read(second).value?.ageNs)
        assertEquals(2, asked)
    }

    @Test
    fun `NaN is missing and never a value`() {
        val answers = ArrayDeque(listOf(0.4f, Float.NaN, 0.5f))
        val reader = HeadroomReader { answers.removeFirst() }
        assertEquals(0.4, reader.read(0).value?.value ?: 0.0, 1e-6)
        assertEquals(Unreadable.NOT_READY, (reader.read(second) as Missing).why)
        assertEquals(0.5, reader.read(2 * second).value?.value ?: 0.0, 1e-6)
    }

    @Test
    fun `a device that never answers has no headroom`() {
        for (silent in listOf(Float.NaN, 0f)) {
            val reader = HeadroomReader { silent }
            val readings = (0L..20L).map { reader.read(it * second) }
            assertTrue(readings.all { it.value == null })
            assertEquals(Missing.NOT_READY, readings.first())
        }
        val reader = HeadroomReader { Float.NaN }
        assertEquals(Missing.ABSENT, (0L..20L).map { reader.read(it * second) }.last())
    }

    @Test
    fun `a device that was cold at first has 0 as a value afterwards`() {
        val answers = ArrayDeque(listOf(0f, 0.1f, 0f))
        val reader = HeadroomReader { answers.removeFirst() }
        assertEquals(null, reader.read(0).value)
        reader.read(second)
        assertEquals(0.0, reader.read(2 * second).value?.value ?: 1.0, 0.0)
    }
}
