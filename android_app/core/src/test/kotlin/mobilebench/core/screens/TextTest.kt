package mobilebench.core.screens

import java.io.File
import mobilebench.core.diagnoses.Diagnosis
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

class TextTest {
    @Test
    fun `every key has its words in the resources, and every word its key`() {
        assertEquals(TextKey.values().map { it.resource }.toSet(), Resources.strings.keys)
    }

    @Test
    fun `every text gets as many arguments as it has places`() {
        val places = Regex("%(\\d)\\\$s")
        for (file in sources()) {
            for (use in Regex("Text\\.of\\(\\s*TextKey\\.(\\w+)(,)?").findAll(file.readText())) {
                val (key, more) = use.destructured
                val text = Resources.strings.getValue(TextKey.valueOf(key).resource)
                val count = places.findAll(text).count()
                assertEquals("${file.name}: $key", count > 0, more.isNotEmpty())
            }
        }
        for ((name, text) in Resources.strings) {
            val numbers = places.findAll(text).map { it.groupValues[1].toInt() }.toList()
            assertEquals(name, (1..numbers.size).toList(), numbers.sorted())
        }
    }

    @Test
    fun `every key is used`() {
        val used = sources().flatMap { Regex("TextKey\\.(\\w+)").findAll(it.readText()) }
            .map { it.groupValues[1] }.toSet()
        // The name of the app stands in the manifest.
        assertEquals(setOf("APP_NAME"), TextKey.values().map { it.name }.toSet() - used)
    }

    private fun sources(): List<File> = generateSequence(File("").absoluteFile) { it.parentFile }
        .map { File(it, "android_app") }.first { it.isDirectory }
        .let { listOf(File(it, "core/src/main"), File(it, "app/src/main")) }
        .flatMap { it.walkTopDown().toList() }.filter { it.extension == "kt" }

    @Test
    fun `every diagnosis has a sentence`() {
        for (diagnosis in Diagnosis.values()) assertTrue(diagnosisText(diagnosis.word) is Keyed)
        assertEquals(Verbatim("something new"), diagnosisText("something new"))
    }

    @Test
    fun `text of others cannot turn the screen around or hide what follows`() {
        assertEquals("a\\u202eb", visible("a\u202eb"))
        assertEquals("a\\u0007\\u200b\n", visible("a\u0007\u200b\n"))
        assertEquals("é ß 漢字 😀", visible("é ß 漢字 😀"))
        assertFalse("\u202e" in Resources.say(Text.of(TextKey.RUN_FAILED, "x\u202ey")))
    }

    @Test
    fun `durations, sizes and numbers are written as on a computer`() {
        assertEquals(
            listOf("350 ns", "11.2 ms", "90.0 s", "2.00 min", "1.00 µs", "0 ns", "999 ms"),
            listOf(350.0, 11.2e6, 90e9, 120e9, 999.6, 0.0, 999.4e6).map { duration(it) },
        )
        assertEquals(
            listOf("350 bytes", "1.49 MB", "2.10 GB", "0 bytes"),
            listOf(350L, 1_490_000L, 2_100_000_000L, 0L).map { size(it) },
        )
        assertEquals(
            listOf("0.5", "1", "0.75", "0"), listOf(0.5, 1.0, 0.75, -0.0001).map { plain(it) },
        )
    }
}
