package mobilebench.natives

import java.nio.ByteBuffer
import mobilebench.core.running.copyOf
import org.junit.Assert.assertEquals
import org.junit.Test

class ComparedTest {
    private val case = Case.all.first { it.names.isNotEmpty() }
    private val expected = case.expected(0)

    @Test
    fun `a wrong value is a difference of the output that holds it and of no other`() {
        for ((place, name) in case.names.withIndex()) {
            for (batch in expected.indices) {
                val actual = expected.map { it.toMutableList() }
                actual[batch][place] = changed(expected[batch][place])
                val off = Compared.of(case).filter { it.largestDifference(actual, expected) > 0 }
                assertEquals(listOf("${case.network} $name"), off.map { it.network })
            }
        }
    }

    @Test
    fun `no two outputs are equal, and none has equal values`() {
        val outputs = expected.flatten().map { output ->
            List(output.capacity() / 4) { output.getFloat(4 * it) }
        }
        assertEquals(case.names.size * expected.size, outputs.toSet().size)
        for (values in outputs) assertEquals(values.size, values.toSet().size)
    }

    private fun changed(output: ByteBuffer): ByteBuffer {
        val copy = copyOf(output)
        copy.putFloat(0, Math.nextUp(copy.getFloat(0)))
        return copy
    }
}
