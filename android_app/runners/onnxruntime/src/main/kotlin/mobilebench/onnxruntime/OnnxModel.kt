package mobilebench.onnxruntime

import ai.onnxruntime.OrtSession
import java.nio.ByteBuffer
import mobilebench.core.documents.PlacedOperation
import mobilebench.core.documents.TensorSpec
import mobilebench.core.running.Model
import mobilebench.core.running.copy
import mobilebench.core.running.copyOf
import mobilebench.core.running.requireFed

/** A session with the memory of its inputs and outputs, which all runs share. */
internal class OnnxModel(
    private val session: OrtSession,
    private val taken: List<BoundTensor>,
    private val given: List<BoundTensor>,
    /** What the session reads for as long as it lives. */
    private val kept: List<BoundTensor>,
    profile: () -> List<PlacedOperation>?,
) : Model {
    private val inputs = taken.associate { it.spec.name to it.tensor }
    private val pinned = given.associate { it.spec.name to it.tensor }

    override val outputs: List<TensorSpec> = given.map { it.spec }
    override val placement: List<PlacedOperation>? by lazy(profile)

    override fun feed(inputs: List<ByteBuffer>) {
        requireFed(taken.map { it.spec }, inputs)
        taken.zip(inputs) { tensor, input -> copy(input, tensor.buffer) }
    }

    override fun run() {
        failing("run") { session.run(inputs, pinned).close() }
    }

    override fun read(): List<ByteBuffer> = given.map { copyOf(it.buffer) }

    override fun close() {
        session.close()
        for (each in taken + given + kept) each.tensor.close()
    }
}
