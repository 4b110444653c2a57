package mobilebench.executorch

import java.nio.ByteBuffer
import java.nio.ByteOrder

/** A place in a file leads out of it, or holds something impossible. */
internal class Damaged(message: String) : Exception(message)

/**
 * A table of a FlatBuffer, whose every read is checked against the end of the buffer.
 *
 * Fields are named by their number in the schema. The layout is described at
 * https://flatbuffers.dev/internals/.
 */
internal class Table private constructor(private val data: FlatBuffer, private val position: Int) {
    private val slots: Int
    private val fields: Int

    init {
        fields = data.inside(position.toLong() - data.int(position))
        val size = data.short(fields)
        if (size < 4 || size % 2 != 0) throw Damaged("a table has $size bytes of fields")
        data.inside(fields.toLong() + size)
        slots = (size - 4) / 2
    }

    fun int(field: Int, default: Int = 0): Int = place(field)?.let(data::int) ?: default

    fun byte(field: Int): Int = place(field)?.let(data::byte) ?: 0

    fun bool(field: Int): Boolean = byte(field) != 0

    fun long(field: Int): Long = place(field)?.let(data::long) ?: 0

    fun table(field: Int): Table? = place(field)?.let { Table(data, data.follow(it)) }

    fun text(field: Int): String? = place(field)?.let { data.text(data.follow(it)) }

    fun ints(field: Int): List<Int> = vector(field, Int.SIZE_BYTES) { data.int(it) }

    fun longs(field: Int): List<Long> = vector(field, Long.SIZE_BYTES) { data.long(it) }

    fun bytes(field: Int): List<Int> = vector(field, 1) { data.byte(it) }

    fun tables(field: Int): List<Table> =
        vector(field, Int.SIZE_BYTES) { Table(data, data.follow(it)) }

    /** Return the number of elements of a vector that holds single bytes. */
    fun size(field: Int): Int? = place(field)?.let { data.length(data.follow(it), 1) }

    private fun <T> vector(field: Int, size: Int, element: (Int) -> T): List<T> {
        val place = place(field) ?: return emptyList()
        val start = data.follow(place)
        return List(data.length(start, size)) { element(start + Int.SIZE_BYTES + it * size) }
    }

    private fun place(field: Int): Int? {
        if (field >= slots) return null
        val offset = data.short(fields + 4 + 2 * field)
        return if (offset == 0) null else data.inside(position.toLong() + offset)
    }

    companion object {
        fun root(data: FlatBuffer): Table = Table(data, data.follow(0))
    }
}

/** Bytes with a beginning that leads to all others. */
internal class FlatBuffer(bytes: ByteBuffer) {
    private val bytes = bytes.slice().order(ByteOrder.LITTLE_ENDIAN)
    private val end = this.bytes.limit()

    fun int(place: Int): Int = read(place, Int.SIZE_BYTES) { bytes.getInt(it) }

    fun long(place: Int): Long = read(place, Long.SIZE_BYTES) { bytes.getLong(it) }

    fun short(place: Int): Int = read(place, 2) { bytes.getShort(it).toInt() and 0xffff }

    fun byte(place: Int): Int = read(place, 1) { bytes.get(it).toInt() and 0xff }

    fun inside(place: Long): Int {
        if (place < 0 || place > end) throw Damaged("an offset leads to $place of $end bytes")
        return place.toInt()
    }

    /** Return where the offset that stands at a place leads to. */
    fun follow(place: Int): Int = inside(place + (int(place).toLong() and 0xffffffffL))

    /** Return the number of elements of the vector at a place. */
    fun length(place: Int, size: Int): Int {
        val count = int(place)
        if (count < 0) throw Damaged("a list has $count elements")
        inside(place + 4L + count.toLong() * size)
        return count
    }

    fun text(place: Int): String {
        val content = ByteArray(length(place, 1))
        bytes.duplicate().also { it.position(place + 4) }.get(content)
        return String(content, Charsets.UTF_8)
    }

    private inline fun <T> read(place: Int, size: Int, get: (Int) -> T): T {
        inside(place.toLong())
        inside(place.toLong() + size)
        return get(place)
    }
}
