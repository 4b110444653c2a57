package mobilebench.core.engine

import java.io.IOException
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.EventKind
import mobilebench.core.documents.Gate
import mobilebench.core.documents.Limits
import mobilebench.core.documents.Stop
import mobilebench.core.documents.ThermalState

class EngineTest {
    private val parts = Parts()

    @Test
    fun `a request to stop ends the run after the inference, with its cause`() {
        val stopping = StopRequest()
        val device = object : PlayedDevice() {
            override fun afterInference() {
                if (inferences == 10) stopping.ask("the user")
            }
        }
        val course = Course(keep = parts, stopping = stopping)
        val ending = runProtocol(protocol(1000), device::load, device, course)
        assertEquals(Ending(limit = null, asked = "the user"), ending)
        assertEquals(10, parts.tNs.size)
        assertEquals(emptyList(), parts.roundsEnded)
    }

    @Test
    fun `a request from another thread is seen too`() {
        val stopping = StopRequest()
        val device = object : PlayedDevice() {
            override fun afterInference() {
                if (inferences == 10) Thread { stopping.ask("a thread") }.apply { start() }.join()
            }
        }
        val course = Course(stopping = stopping)
        val ending = runProtocol(protocol(1000), device::load, device, course)
        assertEquals("a thread", ending.asked)
        assertEquals(10, device.inferences)
    }

    @Test
    fun `the first cause to stop stays`() {
        val stopping = StopRequest()
        stopping.ask("the user")
        stopping.ask("the system")
        assertEquals("the user", stopping.cause)
    }

    @Test
    fun `a request to stop is seen within a second of a long wait`() {
        val stopping = StopRequest()
        val device = object : PlayedDevice() {
            override fun waitNs(nanoseconds: Long) {
                super.waitNs(nanoseconds)
                if (now >= 10 * S) stopping.ask("the user")
            }
        }
        val rested = protocol(5, coolDownNs = 600 * S)
        val ending = runProtocol(rested, device::load, device, Course(stopping = stopping))
        assertEquals("the user", ending.asked)
        assertEquals(10 * S, device.now)
        assertEquals(1 * S, device.longestWaitNs)
    }

    @Test
    fun `a request to stop is seen before a gate that never opens`() {
        val stopping = StopRequest()
        val device = object : PlayedDevice() {
            override fun waitNs(nanoseconds: Long) {
                super.waitNs(nanoseconds)
                stopping.ask("the user")
            }
        }
        device.thermal = ThermalState.CRITICAL
        val gated = protocol(5).copy(gate = Gate())
        val ending = runProtocol(gated, device::load, device, Course(stopping = stopping))
        assertEquals("the user", ending.asked)
        assertEquals(0, device.inferences)
    }

    @Test
    fun `a long wait in slices lasts as long as it should`() {
        val device = PlayedDevice()
        runProtocol(protocol(1, warmUp = 1, coolDownNs = 2 * S + 5), device::load, device)
        assertEquals(7 * S + 2 * S + 5 + 2 * MS, device.now)
    }

    @Test
    fun `parts leave when their time has passed, and hold what came since the one before`() {
        val device = PlayedDevice(latencyNs = 10 * MS)
        val course = Course(keep = parts, everyNs = 100 * MS)
        runProtocol(protocol(inferences = 25, warmUp = 5), device::load, device, course)
        assertEquals(listOf(10, 10, 10), parts.all.map { it.samples.size })
        assertEquals((0L until 30).map { it * 10 * MS }, parts.tNs)
        assertEquals(listOf(1, 0, 0), parts.all.map { it.states.size })
        assertEquals(listOf(1, 0, 0), parts.all.map { it.loadNs.size })
        assertEquals(listOf(null, null, 0), parts.all.map { it.roundEnded })
    }

    @Test
    fun `where the columns are full a part leaves early, and no sample is lost`() {
        val device = PlayedDevice(latencyNs = 1)
        val course = Course(keep = parts, everyNs = S)
        runProtocol(protocol(inferences = 200_000), device::load, device, course)
        assertEquals(200_002, parts.tNs.size)
        assertEquals((0L until 200_002).toList(), parts.tNs)
        val most = parts.all.maxOf { it.samples.size }
        assertTrue(parts.all.size in 4..5 && most <= 65_536, "${parts.all.size} parts up to $most")
    }

    @Test
    fun `columns have room for a round of the protocol`() {
        assertEquals(2 + 24 + 60_000 + 28, roomFor(protocol(60_000), widths = 2, everyNs = S))
        assertEquals(50_000 + 28, roomFor(protocol(30), widths = 0, everyNs = S))
        assertEquals(65_536, roomFor(protocol(1_000_000), widths = 0, everyNs = S))
        assertEquals(32 + 28, roomFor(protocol(30), widths = 0, everyNs = 0))
    }

    @Test
    fun `baselines of many widths have room in full columns`() {
        val several = Several(doubleArrayOf(1.0, 0.75, 0.5, 0.25), {}) { StayingChooser }
        val device = PlayedDevice(latencyNs = 1)
        val course = Course(keep = parts, everyNs = 1, several = several)
        runProtocol(protocol(5, rounds = 3, warmUp = 7), device::load, device, course)
        assertEquals(3 * (7 + 48 + 5), parts.tNs.size)
    }

    @Test
    fun `a clock that goes backwards ends the run, with what came before`() {
        val device = object : PlayedDevice() {
            override fun afterInference() {
                if (inferences == 10) now -= 5 * S
            }
        }
        val failure = assertFailsWith<ClockFailed> {
            runProtocol(protocol(100), device::load, device, Course(keep = parts))
        }
        assertTrue("went back by 4999000000 ns" in failure.message.orEmpty(), failure.message)
        assertEquals(9, parts.tNs.size)
        assertEquals(emptyList(), failure.suppressed.toList())
    }

    @Test
    fun `a clock that goes backwards in a wait ends the run`() {
        val device = object : PlayedDevice() {
            override fun waitNs(nanoseconds: Long) {
                now -= nanoseconds
            }
        }
        assertFailsWith<ClockFailed> {
            runProtocol(protocol(5, coolDownNs = S), device::load, device, Course(keep = parts))
        }
    }

    @Test
    fun `a clock that stands still ends the run`() {
        val device = PlayedDevice(latencyNs = 0)
        val failure = assertFailsWith<ClockFailed> {
            runProtocol(protocol(100), device::load, device, Course(keep = parts))
        }
        assertTrue("stood still" in failure.message.orEmpty(), failure.message)
    }

    @Test
    fun `a clock near the end of its numbers goes on`() {
        val device = PlayedDevice().apply { now = Long.MAX_VALUE - 3 * MS }
        val course = Course(keep = parts, limits = Limits(timeNs = 50 * MS))
        val ending = runProtocol(protocol(100), device::load, device, course)
        assertEquals(Stop.TIME, ending.limit)
        assertEquals((0L until 50).map { it * MS }, parts.tNs)
    }

    @Test
    fun `an inference that fails leaves the samples before it`() {
        val device = object : PlayedDevice() {
            override fun afterInference() {
                if (inferences == 10) throw IllegalStateException("no memory")
            }
        }
        val failure = assertFailsWith<IllegalStateException> {
            runProtocol(protocol(100), device::load, device, Course(keep = parts))
        }
        assertEquals("no memory", failure.message)
        assertEquals(9, parts.tNs.size)
    }

    @Test
    fun `a part that cannot be kept ends the run at once`() {
        var calls = 0
        val course = Course(everyNs = 5 * MS, keep = {
            calls += 1
            throw IOException("storage is full")
        })
        val device = PlayedDevice()
        assertFailsWith<IOException> { runProtocol(protocol(100), device::load, device, course) }
        assertEquals(1, calls)
        assertEquals(5, device.inferences)
    }

    @Test
    fun `a failed inference is told even where its part cannot be kept`() {
        val device = object : PlayedDevice() {
            override fun afterInference() = throw IllegalStateException("no memory")
        }
        val course = Course(keep = { throw IOException("storage is full") })
        val failure = assertFailsWith<IllegalStateException> {
            runProtocol(protocol(100), device::load, device, course)
        }
        assertEquals("storage is full", failure.suppressed.single().message)
    }

    @Test
    fun `a shift of the width is an event between the inferences`() {
        val chooser = object : Chooser {
            override val reason = "test"
            override val readings = mapOf("pace" to 1.5)

            override fun choose(tNs: Long, index: Int, latencyNs: Long, state: DeviceState?) =
                if (tNs >= 20 * MS) 1 else 0
        }
        val chosen = ArrayList<Int>()
        val several = Several(doubleArrayOf(1.0, 0.5), { chosen += it }) { chooser }
        val device = PlayedDevice()
        val course = Course(keep = parts, several = several)
        runProtocol(protocol(10, warmUp = 1), device::load, device, course)
        val event = parts.events.single()
        assertEquals(EventKind.WIDTH_SHIFT, event.kind)
        assertEquals(listOf(1.0, 0.5), listOf(event.fromWidth, event.toWidth))
        assertEquals(mapOf("pace" to 1.5), event.readings)
        assertEquals(listOf(0, 1, 0, 1), chosen)
        // One of the warm-up, and 12 of each width, of which the narrowest is the first.
        assertEquals(26 * MS, event.tNs)
    }
}
