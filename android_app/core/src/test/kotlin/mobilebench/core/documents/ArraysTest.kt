package mobilebench.core.documents

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import mobilebench.core.json.DocumentRefused

class ArraysTest {
    private val pair = listOf(TensorSpec("x", listOf(2)), TensorSpec("mask", listOf(3), DType.BOOL))

    @Test
    fun `every half precision number comes back as its bits`() {
        val kept = (0..0xffff).map { it.toShort() }.filterNot { halfToDouble(it).isNaN() }
        assertEquals(65_536 - 2 * 1023, kept.size)
        assertContentEquals(kept, kept.map { halfOf(halfToDouble(it)) })
    }

    @Test
    fun `half precision rounds to the even neighbour`() {
        assertEquals(0x3c00, halfOf(1.0 + 1.0 / 2048).toInt())
        assertEquals(0x3c02, halfOf(1.0 + 3.0 / 2048).toInt())
        assertEquals(0x7bff, halfOf(65_519.9).toInt())
        assertEquals(0x7c00, halfOf(65_520.0).toInt())
        assertEquals(0x0400, halfOf(Math.scalb(1.0, -14) - Math.scalb(1.0, -26)).toInt())
        assertTrue(halfToDouble(halfOf(Double.NaN)).isNaN())
    }

    @Test
    fun `batches lie one after the other in little-endian order`() {
        val bytes = ByteBuffer.allocate(22).order(ByteOrder.LITTLE_ENDIAN)
        for (batch in 0..1) {
            bytes.putFloat(batch + 0.5f).putFloat(-1f).put(1).put(0).put(batch.toByte())
        }
        val batches = readBatches(written(bytes.array()), pair, 2)
        assertEquals(listOf(0.5, 1.5), batches.map { it[0].numberAt(0, DType.FLOAT32) })
        assertEquals(listOf(0.0, 1.0), batches.map { it[1].numberAt(2, DType.BOOL) })
        assertEquals(0, batches[0][0].position())
    }

    @Test
    fun `a file of another size is refused with both sizes`() {
        val refused = assertFailsWith<DocumentRefused> { readBatches(written(ByteArray(21)), pair, 2) }
        assertTrue("21 bytes" in refused.message.orEmpty(), refused.message)
        assertTrue("have 22" in refused.message.orEmpty(), refused.message)
    }

    @Test
    fun `whole numbers of every type keep their sign`() {
        val array = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, -2)
        assertEquals(-2.0, array.numberAt(0, DType.INT64))
        assertEquals(-2.0, array.numberAt(0, DType.INT32))
        assertEquals(-2.0, array.numberAt(0, DType.INT8))
        assertEquals(254.0, array.numberAt(0, DType.UINT8))
    }

    private fun written(bytes: ByteArray): File =
        File.createTempFile("arrays", ".bin").apply { deleteOnExit(); writeBytes(bytes) }
}
