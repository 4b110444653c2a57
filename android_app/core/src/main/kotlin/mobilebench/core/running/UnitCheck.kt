package mobilebench.core.running

import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.JobFolder
import mobilebench.core.documents.PlacedOperation
import mobilebench.core.documents.UnitParity
import mobilebench.core.documents.UnitTiming
import mobilebench.core.documents.readBatches
import mobilebench.core.engine.BASELINE_INFERENCES
import mobilebench.core.engine.Instruments
import mobilebench.core.engine.SETTLING
import mobilebench.core.engine.medianOfSettled

/** A network that was loaded to be checked. */
class CheckedModel(val model: Model, val loadNs: Long) : AutoCloseable {
    val placement: List<PlacedOperation>? = model.placement

    override fun close() = model.close()
}

/** Checks what a unit computes, and times the CPU beside it, before a job is measured. */
class UnitCheck(
    given: JobFolder,
    private val networks: Networks,
    private val instruments: Instruments,
) {
    private val check = checkNotNull(given.job.parity) { "the job has no check of outputs" }
    private val inputs = readBatches(given.file(check.inputsFile), given.job.inputs, check.batches)
    private val expected = readBatches(
        given.file(check.expectedFile), check.outputs.map { it.tensor }, check.batches,
    )

    fun load(unit: ComputeUnit): CheckedModel {
        val began = instruments.nowNs()
        val model = networks.single(unit)
        return CheckedModel(model, instruments.nowNs() - began)
    }

    /** Return how far the outputs of a unit are off. */
    fun parity(model: Model, unit: ComputeUnit): UnitParity =
        checkOutputs(model, inputs, expected, check.outputs, unit)

    /** Return the median latency on the CPU; the first inferences, which differ, do not count. */
    fun time(onCpu: Model): UnitTiming {
        val latencies = LongArray(BASELINE_INFERENCES) {
            val began = instruments.nowNs()
            onCpu.run()
            instruments.nowNs() - began
        }
        val p50Ns = medianOfSettled(latencies).toDouble()
        return UnitTiming(ComputeUnit.CPU, p50Ns, BASELINE_INFERENCES - SETTLING)
    }
}
