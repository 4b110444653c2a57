package mobilebench.core.engine

import com.sun.management.ThreadMXBean
import java.lang.management.ManagementFactory
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import mobilebench.core.documents.Aim
import mobilebench.core.documents.Convergence
import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Policy
import mobilebench.core.documents.PolicyRule
import mobilebench.core.documents.Protocol
import mobilebench.core.documents.ThermalState
import mobilebench.core.documents.WarmUp
import mobilebench.core.thermal.WidthCost
import mobilebench.core.thermal.controller

/**
 * Counts the bytes that the measuring thread allocates from one inference to the next.
 *
 * Some bytes are the virtual machine's: where it begins to compile a method, it resolves the texts
 * of its class. They come after a few inferences, and once. So the first run may allocate after a
 * few inferences only: a box for each would be seen there before a compiler could take it away. And
 * of several runs, one has to allocate nothing at all: what the engine allocates, it allocates in
 * all of them.
 */
class AllocationTest {
    @Test
    fun `reading the counter allocates nothing`() {
        val counted = cleanest {
            CountedDevice { MS }.apply {
                val infer = load()
                repeat(COUNT) { infer.run() }
            }
        }
        assertEquals(0, counted.between { true })
    }

    @Test
    fun `boxing one number between two inferences is seen`() {
        val counted = CountedDevice { MS }
        val infer = counted.load()
        val boxes = ArrayList<Long>(COUNT)
        repeat(COUNT) {
            infer.run()
            boxes.add(counted.now)
        }
        assertTrue(counted.between { true } >= 8L * COUNT)
        assertTrue(counted.count { true } > COUNT / 2)
    }

    @Test
    fun `inferences one after the other allocate nothing`() {
        val counted = cleanest { measured(protocol(COUNT), CountedDevice { MS }) }
        assertEquals(0, counted.between { it.isPlain })
        assertPartsAreBounded(counted)
    }

    @Test
    fun `frames at a pace allocate nothing`() {
        val paced = protocol(COUNT, intervalNs = 100 * MS)
        val counted = cleanest { measured(paced, CountedDevice { 60 * MS }) }
        assertEquals(0, counted.between { it.isPlain })
        assertPartsAreBounded(counted)
    }

    @Test
    fun `a warm-up that converges late allocates nothing`() {
        val warmUp = WarmUp(COUNT, 0, maxDurationNs = 1000 * S, convergence = Convergence())
        val falling = protocol(10).copy(warmUp = warmUp)
        val counted = cleanest { measured(falling, CountedDevice { MS + 1000 - it % 1000 }) }
        assertEquals(0, counted.between { it.isPlain })
    }

    @Test
    fun `no policy allocates while the width stays`() {
        for (rule in PolicyRule.values()) {
            val aim = if (rule == PolicyRule.DEADLINE) Aim() else Aim(skinC = 60.0, uncapped = true)
            val counted = cleanest { chosen(Policy(rule, aim)) { 60 * MS + it % 7 } }
            assertEquals(0, counted.between { it.isPlain }, rule.word)
            assertEquals(0, counted.decisions, rule.word)
            assertPartsAreBounded(counted)
        }
    }

    @Test
    fun `policies allocate only where they decide`() {
        for (rule in PolicyRule.values().filter { it != PolicyRule.FIXED }) {
            // Every 2000 frames the clock is capped for as many.
            val counted = cleanest {
                chosen(Policy(rule)) { if (it / 2000 % 2 == 0) 60 * MS else 120 * MS }
            }
            assertEquals(0, counted.between { it.isPlain && !it.hasDecision }, rule.word)
            assertTrue(counted.decisions in 20..2000, "${rule.word}: ${counted.decisions}")
            val each = counted.between { it.isPlain && it.hasDecision } / counted.decisions
            assertTrue(each < 2000, "${rule.word}: $each bytes for a decision")
        }
    }

    /** Return the first of several runs in which nothing is allocated, or the last. */
    private fun cleanest(run: () -> CountedDevice): CountedDevice {
        var counted = run()
        val allocating = counted.count { it.isPlain && !it.hasDecision }
        assertTrue(allocating <= FEW, "allocated after $allocating inferences")
        var more = MORE_RUNS
        while (more-- > 0 && counted.between { it.isPlain && !it.hasDecision } > 0) counted = run()
        return counted
    }

    /** Readings and parts, about one a second, are few and small. */
    private fun assertPartsAreBounded(counted: CountedDevice) {
        val seconds = counted.seconds
        assertTrue(counted.readings <= seconds + 2, "${counted.readings} readings in $seconds s")
        assertTrue(counted.parts <= seconds + 2, "${counted.parts} parts in $seconds s")
        val readings = counted.between { it.hasReading && !it.hasPart }
        assertTrue(readings <= 1500L * counted.readings, "$readings bytes")
        // A sample has 29 bytes and the reference to its phase.
        val parts = counted.between { it.hasPart }
        assertTrue(parts <= 60L * COUNT + 4000L * counted.parts, "$parts bytes")
    }

    private fun chosen(policy: Policy, latencyNs: Latency): CountedDevice {
        val counted = CountedDevice(latencyNs)
        val several = Several(doubleArrayOf(1.0, 0.75, 0.5), counted::select) { _ ->
            counted.choosers += 1
            Deciding(PolicyChooser(controller(policy, COSTS, 100 * MS)), counted)
        }
        val paced = protocol(COUNT, intervalNs = 100 * MS, senseNs = S)
        return measured(paced, counted, several)
    }

    private fun measured(
        protocol: Protocol,
        counted: CountedDevice,
        several: Several? = null,
    ): CountedDevice {
        val course = Course(keep = { counted.parts += 1 }, several = several)
        runProtocol(protocol, counted::load, counted, course)
        return counted
    }

    private companion object {
        const val COUNT = 100_000

        /** Methods of which the virtual machine may resolve the texts while they run. */
        const val FEW = 40
        const val MORE_RUNS = 9
        val COSTS = listOf(
            WidthCost(1.0, 60 * MS, 70.5), WidthCost(0.75, 40 * MS, 68.9),
            WidthCost(0.5, 25 * MS, 64.4),
        )
    }
}

/** What came between two inferences. */
internal class Gap(
    val hasReading: Boolean,
    val hasPart: Boolean,
    val hasDecision: Boolean,
    private val hasNewChooser: Boolean,
) {
    /** Whether it is within a round, without a reading and without a part. */
    val isPlain: Boolean get() = !hasReading && !hasPart && !hasNewChooser
}

/** Counts the decisions of what it asks. */
private class Deciding(private val other: Chooser, private val counted: CountedDevice) : Chooser {
    override val reason: String get() = other.reason
    override val readings: Map<String, Double> get() = other.readings

    override fun choose(tNs: Long, index: Int, latencyNs: Long, state: DeviceState?): Int {
        val chosen = other.choose(tNs, index, latencyNs, state)
        if (chosen != index || other.reason != "hold") counted.decisions += 1
        return chosen
    }
}

/** The time that an inference takes with the widest network. */
internal fun interface Latency {
    fun ofInference(number: Int): Long
}

/** Notes at each inference how much its thread has allocated so far. */
internal class CountedDevice(private val latency: Latency) : Instruments {
    private val bean = ManagementFactory.getThreadMXBean() as ThreadMXBean
    private val thread = Thread.currentThread().id
    private val bytes = LongArray(ROOM)
    private val readingsAt = IntArray(ROOM)
    private val partsAt = IntArray(ROOM)
    private val decisionsAt = IntArray(ROOM)
    private val choosersAt = IntArray(ROOM)
    private val began = 5 * S
    private var inferences = 0
    private var index = 0
    private val state = DeviceState(
        tNs = 0, thermal = ThermalState.NOMINAL, temperaturesC = mapOf("skin" to 30.0),
        headroom = 0.5,
    )

    var now = began
    var readings = 0
    var parts = 0
    var decisions = 0

    /** Of what chooses, one is made after the baselines. */
    var choosers = 0

    val seconds: Long get() = (now - began) / S

    fun load(): Infer = Infer(::infer)

    private fun infer() {
        bytes[inferences] = bean.getThreadAllocatedBytes(thread)
        readingsAt[inferences] = readings
        partsAt[inferences] = parts
        decisionsAt[inferences] = decisions
        choosersAt[inferences] = choosers
        inferences += 1
        now += SPEEDS[index] * latency.ofInference(inferences) / 60
    }

    /** Put a width in force. */
    fun select(to: Int) {
        index = to
    }

    /** Return the bytes of all gaps of a kind. */
    fun between(kind: (Gap) -> Boolean): Long =
        (1 until inferences).filter { kind(gapBefore(it)) }.sumOf { bytes[it] - bytes[it - 1] }

    /** Return how many gaps of a kind allocate. */
    fun count(kind: (Gap) -> Boolean): Int =
        (1 until inferences).count { kind(gapBefore(it)) && bytes[it] > bytes[it - 1] }

    private fun gapBefore(at: Int) = Gap(
        hasReading = readingsAt[at] > readingsAt[at - 1],
        hasPart = partsAt[at] > partsAt[at - 1],
        hasDecision = decisionsAt[at] > decisionsAt[at - 1],
        hasNewChooser = choosersAt[at] > choosersAt[at - 1],
    )

    override fun nowNs(): Long = now

    override fun waitNs(nanoseconds: Long) {
        now += nanoseconds
    }

    override fun sense(): DeviceState {
        readings += 1
        return state
    }

    private companion object {
        const val ROOM = 110_000
        val SPEEDS = longArrayOf(60, 40, 25)
    }
}
