package mobilebench.core.numbers

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull
import mobilebench.core.documents.Headline
import mobilebench.core.documents.Phase
import mobilebench.core.documents.Protocol
import mobilebench.core.documents.Samples
import mobilebench.core.documents.WarmUp

class HeadlinesTest {
    private val paced = Protocol(
        id = "paced", purpose = "tests", rounds = 2, warmUp = WarmUp(1, 0, 1), inferences = 2,
        minDurationNs = 0, maxDurationNs = 100, intervalNs = 10, headline = Headline.TRIMMED_MEAN,
        trim = 1,
    )

    @Test
    fun `without a measured sample there is nothing to show`() {
        val samples = Samples(longArrayOf(3), longArrayOf(5), arrayOf(Phase.WARM_UP), intArrayOf(0))
        for (headline in Headline.values()) {
            assertNull(headlineNs(paced.copy(headline = headline), samples))
        }
        assertEquals(emptyList(), windows(samples, 10))
        assertEquals(Deadlines(0, 0, 0, 0), deadlines(paced, samples))
    }

    @Test
    fun `the frames of each round count from its first`() {
        val samples = measured(listOf(100, 110, 130, 1003, 1013), listOf(10, 11, 3, 4, 5), 3)
        val counts = Deadlines(frames = 6, onTime = 4, late = 1, dropped = 1)
        assertEquals(counts, deadlines(paced, samples))
    }

    @Test
    fun `rounds too short for a trimmed mean leave no headline`() {
        val samples = measured(listOf(0, 10, 20, 30), listOf(1, 2, 3, 4), 2)
        assertNull(headlineNs(paced, samples))
        assertEquals(2.0, headlineNs(paced, measured(listOf(0, 10, 20, 30), listOf(1, 2, 3, 4), 3)))
    }

    @Test
    fun `frames without a pace are a mistake of the caller`() {
        val samples = measured(listOf(0), listOf(1), 1)
        val direct = paced.copy(intervalNs = null)
        assertFailsWith<IllegalArgumentException> { deadlines(direct, samples) }
    }

    /** Measured samples, of which some are of the first round. */
    private fun measured(starts: List<Long>, latencies: List<Long>, first: Int) = Samples(
        tNs = starts.toLongArray(),
        latencyNs = latencies.toLongArray(),
        phase = Array(starts.size) { Phase.MEASURED },
        round = IntArray(starts.size) { if (it < first) 0 else 1 },
    )
}
