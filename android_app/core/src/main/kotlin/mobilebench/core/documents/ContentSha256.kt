package mobilebench.core.documents

import java.io.File
import java.security.MessageDigest
import mobilebench.core.json.hexadecimal
import mobilebench.core.json.newSha256

private const val PIECE = 1 shl 20

/**
 * Return the sha256 of a file, and of the weights in `NAME.data` beside it.
 *
 * Of a folder, it is over the paths, sizes and contents of its files in the order of their paths.
 */
fun contentSha256(file: File): String {
    val digest = newSha256()
    if (file.isFile) {
        digest.add(file)
        File("${file.path}.data").takeIf { it.isFile }?.let { digest.add(it) }
    } else {
        for ((parts, part) in filesIn(file)) {
            digest.update("${parts.joinToString("/")}\u0000${part.length()}\u0000".toByteArray())
            digest.add(part)
        }
    }
    return hexadecimal(digest.digest())
}

/** Return the files in a folder with the parts of their paths, compared part by part. */
private fun filesIn(folder: File): List<Pair<List<String>, File>> =
    folder.walkTopDown().filter { it.isFile }
        .map { Pair(it.relativeTo(folder).invariantSeparatorsPath.split("/"), it) }
        .sortedWith { one, other -> compareParts(one.first, other.first) }.toList()

private fun compareParts(one: List<String>, other: List<String>): Int {
    for ((left, right) in one.zip(other)) {
        val order = compareCharacters(left, right)
        if (order != 0) return order
    }
    return one.size.compareTo(other.size)
}

/** Compare by whole characters, not by halves of surrogate pairs. */
private fun compareCharacters(one: String, other: String): Int {
    val left = one.codePoints().toArray()
    val right = other.codePoints().toArray()
    for (index in 0 until minOf(left.size, right.size)) {
        if (left[index] != right[index]) return left[index].compareTo(right[index])
    }
    return left.size.compareTo(right.size)
}

private fun MessageDigest.add(file: File) {
    val piece = ByteArray(PIECE)
    file.inputStream().use { input ->
        while (true) {
            val count = input.read(piece)
            if (count < 0) return
            update(piece, 0, count)
        }
    }
}
