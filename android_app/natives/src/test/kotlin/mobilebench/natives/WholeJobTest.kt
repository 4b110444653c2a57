package mobilebench.natives

import java.io.File
import mobilebench.core.documents.EventKind
import mobilebench.core.documents.JobFolder
import mobilebench.core.documents.Measurement
import mobilebench.core.documents.RECORD_FILE
import mobilebench.core.documents.readJobFolder
import mobilebench.core.journal.Provenance
import mobilebench.core.journal.outcome
import mobilebench.core.journal.readJournal
import mobilebench.core.journal.recordOf
import mobilebench.core.json.text
import mobilebench.core.running.JobRun
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.junit.runners.Parameterized
import org.junit.runners.Parameterized.Parameters

/**
 * A job runs from its folder to its record with the Android libraries.
 *
 * The folders go where the property `mobilebench.jobs` says, so that Python can read what came.
 */
@RunWith(Parameterized::class)
class WholeJobTest(private val case: Case) {
    @Test
    fun `a job runs from its folder to its record`() {
        val given = copied()
        val failure = JobRun(given, Runtimes.named(case.runtime), PlayedPlace()).run()
        assertNull("${failure?.stage} ${failure?.message}", failure)
        val journal = readJournal(given.journalFile.readBytes(), given.document.sha256)
        val record = recordOf(given, journal, Provenance("0.1.0", "played"))
        File(given.folder, RECORD_FILE).writeText(record.text())
        val outcome = journal.outcome(given.job.protocol) as Measurement
        assertTrue(outcome.parity.all { it.passed })
        val samples = outcome.samples
        assertTrue("${samples.size} samples", samples.size >= given.job.protocol.inferences)
        if (given.job.variants.isNotEmpty()) {
            val shifts = outcome.events.filter { it.kind == EventKind.WIDTH_SHIFT }
            assertEquals(listOf(0.75, 0.5, 0.75, 1.0), shifts.map { it.toWidth })
            assertEquals(setOf(1.0, 0.75, 0.5), samples.width.toSet())
        }
    }

    private fun copied(): JobFolder {
        val jobs = File(System.getProperty("mobilebench.jobs") ?: Runtimes.profiles.path)
        val target = File(jobs, case.folder.name)
        target.deleteRecursively()
        check(case.folder.copyRecursively(target)) { "$target cannot be written" }
        File(target, "python").deleteRecursively()
        return readJobFolder(target)
    }

    companion object {
        /** The small network in each precision, and one of the zoo alone and in several widths. */
        @JvmStatic
        @Parameters(name = "{0}")
        fun cases(): List<Array<Case>> = Case.all
            .filter { it.network.startsWith("networks") || it.network.startsWith("mobilevig_ti") }
            .map { arrayOf(it) }
    }
}
