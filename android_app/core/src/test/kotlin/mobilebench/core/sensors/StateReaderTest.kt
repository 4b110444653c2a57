package mobilebench.core.sensors

import mobilebench.core.documents.EventKind
import mobilebench.core.documents.Stage
import mobilebench.core.documents.ThermalState
import mobilebench.core.documents.Unreadable
import mobilebench.core.engine.EventLog
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

/** A phone whose answers a test sets. */
private class Phone : PhoneSensors {
    var status: Int? = 0
    var room = 0.3f
    var short = false
    var mode = 0
    var asked = 0

    override fun thermalStatus() = status

    override fun headroom(forecastS: Int): Float {
        asked += 1
        return room
    }

    override fun headroomThresholds(): Map<Int, Float> = emptyMap()

    override fun battery() = RawBattery(50, 100, 3, 0, 305, 3800, -1, 1)

    override fun powerSaver() = false

    override fun memoryIsShort() = short

    override fun audioMode() = mode
}

class StateReaderTest {
    private val phone = Phone()
    private val events = EventLog().apply { begin { 5 } }
    private var nowNs = 0L
    private var cap = "2850000"
    private val cpu = CpuFiles { path ->
        when (path.substringAfterLast("policy0/", "")) {
            "related_cpus" -> Got("0")
            "scaling_max_freq" -> Got(cap)
            else -> Missing.DENIED
        }
    }

    private fun reader() = StateReader(phone, cpu, events) { nowNs }

    @Test
    fun `everything that a phone tells is in the state`() {
        val state = reader().read()
        assertEquals(ThermalState.NOMINAL, state.thermal)
        assertEquals(mapOf("battery" to 30.5), state.temperaturesC)
        assertEquals(0.3, state.headroom ?: 0.0, 1e-6)
        assertEquals(0.5, state.batteryFraction ?: 0.0, 1e-9)
        assertEquals(2850.0, state.cpuCapMhz ?: 0.0, 1e-9)
        assertEquals(false, state.lowPowerMode)
        assertEquals(
            setOf("cpu_mhz", "governor", "load_average", "busy_fraction"), state.unreadable.keys,
        )
    }

    @Test
    fun `a phone whose thermal sensors say nothing has no state`() {
        phone.room = Float.NaN
        val state = reader().read()
        assertEquals(null, state.thermal)
        assertEquals(Unreadable.NOT_READY, state.unreadable["thermal"])
        assertEquals(Unreadable.NOT_READY, state.unreadable["headroom"])
    }

    @Test
    fun `the headroom is asked for before the first reading, and not again within a second`() {
        val reader = reader()
        repeat(10) { reader.read() }
        assertEquals(1, phone.asked)
    }

    @Test
    fun `a lowered cap, short memory and a call are events, each once`() {
        val reader = reader()
        reader.read()
        assertEquals(emptyList<EventKind>(), events.take().map { it.kind })
        cap = "1747000"
        phone.short = true
        phone.mode = 2
        reader.read()
        reader.read()
        val told = events.take()
        assertEquals(
            listOf(EventKind.CLOCK_CAP, EventKind.MEMORY_WARNING, EventKind.CALL),
            told.map { it.kind },
        )
        assertEquals(mapOf("cap_mhz" to 1747.0), told.first().readings)
    }

    @Test
    fun `leaving the front is no shortage of memory`() {
        assertFalse(isMemoryShort(20))
        assertFalse(isMemoryShort(40))
        assertTrue(isMemoryShort(10) && isMemoryShort(15))
    }

    @Test
    fun `a phone that rings is in a call`() {
        assertTrue(listOf(1, 2, 3).all(::isCall))
        assertFalse(isCall(0) || isCall(-1))
    }

    @Test
    fun `each way to end has its word and the stage that was reached`() {
        assertEquals(Exit.CRASHED, exitOf(5))
        assertEquals(Exit.KILLED_FOR_MEMORY, exitOf(3))
        assertEquals(Exit.KILLED, exitOf(10))
        assertEquals(Exit.NOT_KNOWN, exitOf(null))
        val (segmentationFault, kill) = listOf(11, 9)
        assertEquals(Exit.CRASHED, exitOf(2, segmentationFault))
        assertEquals(Exit.KILLED, exitOf(2, kill))
        val stages = Reached.values().map { failureOf(Exit.CRASHED, it, true, null).stage }
        assertEquals(
            listOf(Stage.PARITY, Stage.PARITY, Stage.LOAD, Stage.RUN, Stage.RUN), stages,
        )
        assertEquals(Stage.LOAD, failureOf(Exit.KILLED, Reached.STARTED, false, null).stage)
        val told = failureOf(Exit.CRASHED, Reached.LOADED, false, " signal 11 ")
        assertEquals("Crashed", told.error)
        assertTrue(told.message, "(signal 11)" in told.message)
    }

    @Test
    fun `conditions are a note`() {
        val note = Conditions(false, true, true, false, 16_384).note
        assertEquals(
            "no performance hint session; sustained performance mode; Samsung's game service is " +
                "installed; nothing shows that the thermal sensors work; pages of 16384 bytes",
            note,
        )
        val forServer = Conditions(false, false, null, true, null, heartbeatS = 30).note
        assertTrue("; a request to a server every 30 s, from another process" in forServer)
    }
}
