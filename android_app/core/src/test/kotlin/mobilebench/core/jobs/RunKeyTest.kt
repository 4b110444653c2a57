package mobilebench.core.jobs

import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

class RunKeyTest {
    private val jobs = newJobs()
    private val folder = File(jobs, "one").apply { mkdir() }
    private val key = "0123456789abcdef"

    private fun keep(text: String) = File(folder, RUN_KEY_FILE).writeText(text)

    @Test
    fun `the key that lies in the folder fits, with space around it or not`() {
        keep("$key\n")
        assertTrue(keyFits(folder, key))
        assertTrue(keyFits(folder, " $key "))
    }

    @Test
    fun `any other key does not fit`() {
        keep(key)
        for (wrong in listOf(null, "", key.dropLast(1), key + "0", key.uppercase())) {
            assertFalse("$wrong", keyFits(folder, wrong))
        }
    }

    @Test
    fun `without a key in the folder nothing fits`() {
        for (wrong in listOf(null, "", key)) assertFalse(keyFits(folder, wrong))
    }

    @Test
    fun `a key that is short, empty or long fits nothing, not even itself`() {
        for (weak in listOf("", " \n", "short", "x".repeat(257))) {
            keep(weak)
            assertFalse("'$weak'", keyFits(folder, weak))
        }
    }

    @Test
    fun `a name leads to a folder of jobs and nowhere else`() {
        assertEquals(folder, jobFolder(jobs, "one"))
        File(jobs.parentFile, "outside").mkdir()
        val names = listOf("..", ".", "", "one/..", "../outside", "/", "two", ".one", "a b", "é")
        for (wrong in names) {
            assertEquals(wrong, null, jobFolder(jobs, wrong))
        }
    }

    @Test
    fun `a link out of the folder of jobs is not followed`() {
        val outside = newJobs()
        java.nio.file.Files.createSymbolicLink(File(jobs, "link").toPath(), outside.toPath())
        assertEquals(null, jobFolder(jobs, "link"))
    }
}
