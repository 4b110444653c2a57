package mobilebench.core.running

import java.io.File
import java.nio.ByteBuffer
import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.Job
import mobilebench.core.documents.JobFolder
import mobilebench.core.documents.PlacedOperation
import mobilebench.core.documents.PolicyRule
import mobilebench.core.engine.Infer
import mobilebench.core.engine.Select

/**
 * Loads the networks of a job, and computes with the one that is in force.
 *
 * Used by one thread.
 */
class Networks(private val given: JobFolder, private val runtime: Runtime) :
    Select, Infer, AutoCloseable {
    private val job: Job = given.job
    private var loaded = emptyArray<Model>()
    private var inForce: Model? = null

    /** Load one network apart from the others, for a unit; the caller closes it. */
    fun single(unit: ComputeUnit): Model = runtime.load(request(given.modelFile, null, unit))

    /** Load each network that may be chosen, in place of those before; the first is in force. */
    fun load(inputs: List<ByteBuffer>): Infer {
        close()
        val requests = if (job.policy.rule == PolicyRule.FIXED) {
            listOf(request(given.modelFile, null, job.computeUnit))
        } else {
            job.variants.map { request(given.file(it.modelFile), it.entry, job.computeUnit) }
        }
        for (request in requests) {
            val model = runtime.load(request)
            loaded += model
            model.feed(inputs)
        }
        select(0)
        // One network is called without a detour, which would be timed.
        val only = loaded.singleOrNull() ?: return this
        return Infer { only.run() }
    }

    /** The library's plan for the network that is in force. */
    val placement: List<PlacedOperation>? get() = inForce?.placement

    override fun select(index: Int) {
        inForce = loaded[index]
    }

    override fun run() {
        inForce?.run()
    }

    override fun close() {
        val models = loaded
        loaded = emptyArray()
        inForce = null
        models.forEach { it.close() }
    }

    private fun request(file: File, entry: String?, unit: ComputeUnit) =
        ModelRequest(file, entry, job.inputs, unit, job.delegate, job.threads)
}
