package mobilebench.tflite

import java.nio.ByteBuffer
import mobilebench.core.documents.PlacedOperation
import mobilebench.core.documents.TensorSpec
import mobilebench.core.running.Model
import mobilebench.core.running.requireFed
import org.tensorflow.lite.Delegate
import org.tensorflow.lite.Interpreter

/** An interpreter with the memory of its inputs and outputs, which all runs share. */
internal class LiteRtModel(
    private val call: Call,
    private val interpreter: Interpreter,
    private val delegate: Delegate?,
) : Model {
    override val outputs: List<TensorSpec> = call.outputs.map { it.spec }
    override val placement: List<PlacedOperation>? = null

    override fun feed(inputs: List<ByteBuffer>) {
        requireFed(call.inputs.map { it.spec }, inputs)
        call.inputs.zip(inputs) { port, values -> port.put(values) }
    }

    override fun run() {
        // The library fills an output from its position on.
        for (port in call.outputs) port.buffer.clear()
        failing("run") { call.run() }
    }

    override fun read(): List<ByteBuffer> = call.outputs.map { it.get() }

    override fun close() {
        interpreter.close()
        delegate?.close()
    }
}
