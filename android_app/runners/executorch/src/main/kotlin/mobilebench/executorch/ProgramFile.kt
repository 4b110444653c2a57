package mobilebench.executorch

import java.io.File
import java.io.RandomAccessFile
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.channels.FileChannel
import mobilebench.core.running.Refused

/**
 * A file of ExecuTorch: a FlatBuffer with its sizes, and parts behind it.
 *
 * Bytes 4 to 8 are `ET12`. A header of 24 bytes or more follows, `eh00`: the size of the
 * FlatBuffer, where the parts begin, and from 32 bytes on how long they are together.
 */
internal object ProgramFile {
    private const val MARK = "ET12"
    private const val HEADER_MARK = "eh00"
    private const val HEADER = 8
    private const val LEAST_HEADER = 24
    private const val WITH_SIZE = 32
    private const val LEAST_BYTES = HEADER + WITH_SIZE

    /** Read and check a file. Throws [Refused] with a sentence that says what is wrong. */
    fun read(file: File): Program {
        if (!file.isFile) throw Refused("${file.name} is not there; copy the job's folder again.")
        if (file.length() < LEAST_BYTES) throw cut(file, "it has ${file.length()} bytes")
        try {
            return RandomAccessFile(file, "r").use { open ->
                val size = minOf(file.length(), Int.MAX_VALUE.toLong())
                program(file, open.channel.map(FileChannel.MapMode.READ_ONLY, 0, size))
            }
        } catch (error: Damaged) {
            throw Refused("${file.name} is damaged: ${error.message}; copy it again.")
        }
    }

    private fun program(file: File, bytes: ByteBuffer): Program {
        bytes.order(ByteOrder.LITTLE_ENDIAN)
        val mark = text(bytes, 4)
        if (mark != MARK) {
            throw Refused(
                if (mark.startsWith("ET")) {
                    "${file.name} is an ExecuTorch program of the format $mark, and this app " +
                        "reads $MARK; export it with the version that the job names."
                } else {
                    "${file.name} is not an ExecuTorch program; give the file that the job names."
                },
            )
        }
        val sizes = Sizes.read(bytes, file.length())
        if (sizes.end > file.length()) {
            throw cut(file, "it has ${file.length()} of ${sizes.end} bytes")
        }
        if (sizes.program > bytes.limit()) throw Damaged("its tables have ${sizes.program} bytes")
        val tables = bytes.duplicate().also { it.limit(sizes.program.toInt()) }
        return Program(Table.root(FlatBuffer(tables)), file.length() - sizes.segments)
    }

    private fun text(bytes: ByteBuffer, place: Int): String {
        val letters = ByteArray(4)
        bytes.duplicate().also { it.position(place) }.get(letters)
        return String(letters, Charsets.ISO_8859_1)
    }

    private fun cut(file: File, found: String) =
        Refused("${file.name} is cut off: $found; copy it again.")

    /** Sizes in bytes that the header states. */
    private class Sizes(val program: Long, val segments: Long, val end: Long) {
        companion object {
            fun read(bytes: ByteBuffer, length: Long): Sizes {
                if (text(bytes, HEADER) != HEADER_MARK) return Sizes(length, length, length)
                val header = bytes.getInt(HEADER + 4)
                val program = bytes.getLong(HEADER + 8)
                val start = bytes.getLong(HEADER + 16)
                val size = if (header >= WITH_SIZE) bytes.getLong(HEADER + 24) else 0
                val possible = header in LEAST_HEADER..length && program in LEAST_BYTES..MOST &&
                    start in 0..MOST && size in 0..MOST && (start == 0L || start >= program)
                if (!possible) throw Damaged("its header states impossible sizes")
                val end = if (start == 0L) program else maxOf(program, start + size)
                return Sizes(program, if (start == 0L) end else start, end)
            }

            private const val MOST = 1L shl 40
        }
    }
}
