package mobilebench.core.engine

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import mobilebench.core.documents.Aim
import mobilebench.core.documents.Format
import mobilebench.core.documents.Job
import mobilebench.core.documents.Policy
import mobilebench.core.documents.PolicyRule
import mobilebench.core.documents.Refused
import mobilebench.core.documents.Variant
import mobilebench.core.documents.VariantAccuracy

class WidthsTest {
    private val deadline = Policy(PolicyRule.DEADLINE, Aim(deadlineNs = 30 * MS))

    @Test
    fun `the policy fixed chooses nothing`() {
        assertNull(several(job(Policy()), {}))
    }

    @Test
    fun `variants become widths, and late frames a narrower one`() {
        val several = assertNotNull(several(job(deadline), {}))
        assertEquals(listOf(1.0, 0.5), several.widths.asList())
        val chooser = several.chooser(longArrayOf(25 * MS, 10 * MS))
        val chosen = (1L..5).map { chooser.choose(it * 100 * MS, 0, 40 * MS, null) }
        assertEquals(listOf(0, 0, 1, 1, 1), chosen)
        assertEquals("hold", chooser.reason)
    }

    @Test
    fun `a shift has its reason and its numbers`() {
        val several = assertNotNull(several(job(deadline), {}))
        val chooser = several.chooser(longArrayOf(25 * MS, 10 * MS))
        for (frame in 1L..3) chooser.choose(frame * 100 * MS, 0, 40 * MS, null)
        assertEquals("late", chooser.reason)
        assertEquals(mapOf("pace" to 1.6, "waited_s" to 0.3), chooser.readings)
    }

    @Test
    fun `a variant without an accuracy is refused before anything runs`() {
        val without = job(deadline).run {
            copy(variants = variants.map { it.copy(accuracy = null) })
        }
        val refusal = assertFailsWith<Refused> { requirePossible(without) }
        assertTrue("that of full is not known" in refusal.message.orEmpty(), refusal.message)
    }

    @Test
    fun `a policy without a deadline is refused`() {
        assertFailsWith<Refused> { several(job(Policy(PolicyRule.PREDICTIVE)), {}) }
    }

    private fun job(policy: Policy) = Job(
        schemaVersion = 2, modelFile = "a", modelSha256 = "", format = Format.ONNX,
        delegate = null, inputs = emptyList(), runtime = "onnxruntime", protocol = protocol(5),
        variants = listOf(variant("full", 1.0, 70.0), variant("half", 0.5, 60.0)), policy = policy,
    )

    private fun variant(name: String, width: Double, top1: Double) =
        Variant(name, name, "", width, accuracy = VariantAccuracy(top1, "a paper", false))
}
