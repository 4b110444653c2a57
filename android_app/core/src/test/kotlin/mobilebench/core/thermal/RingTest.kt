package mobilebench.core.thermal

import java.util.Random
import kotlin.test.Test
import kotlin.test.assertEquals

class RingTest {
    @Test
    fun `a ring holds the last numbers, in the order of time and of size`() {
        val random = Random(3)
        val ring = Ring(5)
        val last = ArrayList<Double>()
        repeat(1000) {
            val number = random.nextInt(6).toDouble()
            ring.add(number)
            last.add(number)
            if (last.size > 5) last.removeAt(0)
            assertEquals(last.sorted(), last.indices.map(ring::ranked))
            assertEquals(last.reversed(), last.indices.map(ring::before))
            for (limit in -1..6) {
                assertEquals(last.count { it <= limit }, ring.countUpTo(limit.toDouble()))
            }
        }
    }
}
