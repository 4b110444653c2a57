package mobilebench.onnxruntime

import java.io.File
import java.io.RandomAccessFile
import mobilebench.core.running.Refused

/** The outermost level of an ONNX file. */
internal class OnnxFile(
    /** How a file of several widths is asked for each; empty for a file of one network. */
    val entries: List<String>,
) {
    companion object {
        /**
         * Read a file.
         *
         * ONNX has no mark by which to know it: a file is a protobuf message `ModelProto`. Its
         * fields are walked by their lengths, without reading what they hold, so that a cut file
         * and one of another kind get a sentence before the library sees them. Throws [Refused].
         */
        fun read(file: File): OnnxFile {
            if (!file.isFile) {
                throw Refused("${file.name} is not there; copy the job's folder again.")
            }
            val walk = try {
                RandomAccessFile(file, "r").use { Walk(it).apply { run() } }
            } catch (_: Foreign) {
                throw Refused("${file.name} is not an ONNX file; give the file that the job names.")
            }
            if (walk.cut || !walk.fields.containsAll(REQUIRED)) {
                throw Refused("${file.name} is not a whole ONNX file; copy it again.")
            }
            return OnnxFile(walk.metadata[ENTRIES]?.split(",").orEmpty())
        }
    }
}

/** Fields of `ModelProto`. */
private const val IR_VERSION = 1
private const val GRAPH = 7
private const val OPSETS = 8
private const val METADATA = 14
private const val LAST_FIELD = 26
private val REQUIRED = setOf(IR_VERSION, GRAPH, OPSETS)
private const val ENTRIES = "mobilebench_entries"
private const val LONGEST_METADATA = 1 shl 20

private class Foreign : Exception()

/** One pass over the fields of a message. */
private class Walk(private val file: RandomAccessFile) {
    val fields = HashSet<Int>()
    val metadata = HashMap<String, String>()
    var cut = false
        private set

    fun run() {
        while (!cut && file.filePointer < file.length()) {
            val tag = varint()
            val field = (tag ushr 3).toInt()
            if (cut) return
            if (field !in 1..LAST_FIELD) throw Foreign()
            when ((tag and 7).toInt()) {
                VARINT -> varint()
                LENGTH -> bytes(field, varint())
                else -> throw Foreign()
            }
            fields += field
        }
    }

    private fun bytes(field: Int, length: Long) {
        val left = file.length() - file.filePointer
        // A file of another kind has no `ir_version` before its first long field.
        if (length < 0 || length > left && IR_VERSION !in fields) throw Foreign()
        cut = cut || length > left
        if (cut) return
        if (field == METADATA && length < LONGEST_METADATA) {
            val content = ByteArray(length.toInt()).also(file::readFully)
            Entry.read(content)?.let { metadata[it.key] = it.value }
        } else {
            file.seek(file.filePointer + length)
        }
    }

    /** Read a number of 7 bits a byte. */
    private fun varint(): Long {
        var number = 0L
        for (place in 0 until 10) {
            val byte = file.read()
            if (byte < 0) cut = true
            if (cut) return 0
            number = number or ((byte and 0x7f).toLong() shl (7 * place))
            if (byte and 0x80 == 0) return number
        }
        throw Foreign()
    }

    private companion object {
        const val VARINT = 0
        const val LENGTH = 2
    }
}

/** One `StringStringEntryProto`: two texts, each after its tag and its length. */
private class Entry(val key: String, val value: String) {
    companion object {
        private const val KEY = 0x0a
        private const val VALUE = 0x12

        /** Return an entry; null for one that is written in another way. */
        fun read(content: ByteArray): Entry? {
            val texts = HashMap<Int, String>()
            var place = 0
            while (place + 1 < content.size) {
                val tag = content[place].toInt()
                var length = content[place + 1].toInt() and 0xff
                place += 2
                if (length >= 0x80) {
                    if (place >= content.size) return null
                    length = (length and 0x7f) or (content[place++].toInt() and 0x7f shl 7)
                }
                if (place + length > content.size) return null
                texts[tag] = String(content, place, length, Charsets.UTF_8)
                place += length
            }
            return Entry(texts[KEY] ?: return null, texts[VALUE] ?: return null)
        }
    }
}
