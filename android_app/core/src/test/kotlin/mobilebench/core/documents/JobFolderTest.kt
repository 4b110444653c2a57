package mobilebench.core.documents

import java.io.File
import java.io.IOException
import java.io.RandomAccessFile
import java.nio.file.Files
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import mobilebench.core.MODEL
import mobilebench.core.jobText
import mobilebench.core.json.DocumentRefused
import mobilebench.core.json.sha256
import mobilebench.core.subjectText
import mobilebench.core.writeJobFolder
import org.junit.Rule
import org.junit.rules.TemporaryFolder

class JobFolderTest {
    @get:Rule
    val temporary = TemporaryFolder()

    private val folder: File get() = temporary.root

    private fun refusal(act: () -> Unit): String =
        assertFailsWith<DocumentRefused> { act() }.message.orEmpty()

    private fun requireIn(word: String, sentence: String) = assertTrue(word in sentence, sentence)

    @Test
    fun `a folder that is whole is taken`() {
        val given = readJobFolder(writeJobFolder(folder))
        given.requireFiles()
        assertEquals(File(folder, "journal.jsonl"), given.journalFile)
        assertEquals("example", given.subject.part("model").text("name"))
    }

    @Test
    fun `a file that is lost, or another one, is named`() {
        val given = readJobFolder(writeJobFolder(folder))
        given.modelFile.appendText("x")
        requireIn("model.onnx is not the file of the job", refusal { given.requireFiles() })
        given.modelFile.delete()
        requireIn("has lost model.onnx", refusal { given.requireFiles() })
    }

    @Test
    fun `a link out of the folder is refused`() {
        val given = readJobFolder(writeJobFolder(temporary.newFolder("job")))
        val outside = temporary.newFile("elsewhere").apply { writeBytes(MODEL) }
        given.modelFile.delete()
        Files.createSymbolicLink(given.modelFile.toPath(), outside.toPath())
        requireIn("leads out of", refusal { given.requireFiles() })
    }

    @Test
    fun `a journal or weights behind a link out of the folder are refused`() {
        val outside = temporary.newFolder("outside")
        val more = ", \"reporting\": {\"journal_file\": \"log/a.jsonl\"}"
        for (link in listOf("log", "model.onnx.data")) {
            val given = readJobFolder(writeJobFolder(temporary.newFolder("of-$link"), jobText(more)))
            Files.createSymbolicLink(given.file(link).toPath(), outside.toPath())
            requireIn("leads out of", refusal { given.requireFiles() })
        }
    }

    @Test
    fun `a folder without a job, or about another file, is refused`() {
        requireIn("holds no job.json", refusal { readJobFolder(folder) })
        writeJobFolder(folder)
        File(folder, "subject.json").writeText(subjectText("00".repeat(32)))
        requireIn("about another file", refusal { readJobFolder(folder) })
        File(folder, "subject.json").delete()
        requireIn("holds no subject.json", refusal { readJobFolder(folder) })
    }

    @Test
    fun `a journal never writes over another file of the job`() {
        for (name in listOf("job.json", "subject.json", "record.json", "model.onnx")) {
            val more = ", \"reporting\": {\"journal_file\": \"$name\"}"
            writeJobFolder(folder, jobText(more))
            requireIn("journal_file is $name, and $name has that place", refusal { readJobFolder(folder) })
        }
    }

    @Test
    fun `a job without end is not read into the memory`() {
        writeJobFolder(folder)
        RandomAccessFile(File(folder, "job.json"), "rw").use { it.setLength(17L shl 20) }
        requireIn("larger than 16 MB", refusal { readJobFolder(folder) })
    }

    @Test
    fun `weights beside a file belong to it`() {
        val file = File(folder, "m.onnx").apply { writeText("net") }
        assertEquals(sha256("net".toByteArray()), contentSha256(file))
        File(folder, "m.onnx.data").writeText("weights")
        assertEquals(sha256("netweights".toByteArray()), contentSha256(file))
    }

    @Test
    fun `the sha256 of a folder is over its files in the order of their parts`() {
        val model = temporary.newFolder("m.mlpackage")
        val files = mapOf(
            "a/b" to "1", "a-b" to "22", "a/\uFB33" to "3", "a/\uD83D\uDE00" to "", "B" to "5"
        )
        for ((name, content) in files) {
            File(model, name).apply { parentFile?.mkdirs() }.writeText(content)
        }
        val order = listOf("B", "a/b", "a/\uFB33", "a/\uD83D\uDE00", "a-b")
        val whole = order.joinToString("") { name ->
            val content = files.getValue(name)
            "$name\u0000${content.length}\u0000$content"
        }
        assertEquals(sha256(whole.toByteArray()), contentSha256(model))
    }

    @Test
    fun `a key is made once, and a broken file is not written over`() {
        val file = File(folder, "key")
        val first = requireNotNull(deviceKey(file))
        val again = requireNotNull(deviceKey(file))
        assertContentEquals(first.publicKey, again.publicKey)
        assertContentEquals(first.sign(MODEL), again.sign(MODEL))
        for (text in listOf("", "00\n00", file.readText().replace("\n", ""))) {
            file.writeText(text)
            assertFailsWith<IOException> { deviceKey(file) }
            assertEquals(text, file.readText())
        }
    }
}
