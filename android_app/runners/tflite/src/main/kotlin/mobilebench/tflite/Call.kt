package mobilebench.tflite

import mobilebench.core.documents.TensorSpec
import mobilebench.core.running.ModelRequest
import mobilebench.core.running.Refused
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.Tensor

/** One network of a file: its tensors in the order of the network, and how it is computed. */
internal sealed class Call(val inputs: List<Port>, val outputs: List<Port>) {
    abstract fun run()

    companion object {
        /** Return what a request asks for. Throws [Refused] where the file does not fit it. */
        fun of(interpreter: Interpreter, request: ModelRequest): Call {
            val signatures = interpreter.signatureKeys.toList()
            val entry = request.entry ?: return whole(interpreter, signatures, request)
            if (entry !in signatures) {
                val has = if (signatures.isEmpty()) "holds one network" else
                    "has ${signatures.joinToString()}"
                throw Refused(
                    "${request.file.name} was asked for its entry $entry; it $has."
                )
            }
            return bySignature(interpreter, entry, request)
        }

        private fun whole(
            interpreter: Interpreter, signatures: List<String>, request: ModelRequest,
        ): Call {
            val order = Order.of(interpreter, signatures)
            val inputs = order.inputs.zip(paired(request, order.inputs.size)).map { (place, spec) ->
                resize(interpreter, place, spec)
                place to spec
            }
            interpreter.allocateTensors()
            return WholeFile(
                interpreter,
                inputs.map { (at, spec) -> Port(interpreter.getInputTensor(at), spec) to at },
                order.outputs.map { place -> Port(interpreter.getOutputTensor(place)) to place },
            )
        }

        /** Fix the sizes that the file leaves open. */
        private fun resize(interpreter: Interpreter, place: Int, spec: TensorSpec) {
            val tensor = interpreter.getInputTensor(place)
            val wanted = spec.shape.toIntArray()
            val open = tensor.shapeSignature()
            val fits = open.size == wanted.size &&
                open.indices.all { open[it] == wanted[it] || open[it] < 0 }
            if (fits && !tensor.shape().contentEquals(wanted)) {
                interpreter.resizeInput(place, wanted, true)
            }
        }

        private fun bySignature(
            interpreter: Interpreter, key: String, request: ModelRequest,
        ): Call {
            val names = byNumber(interpreter.getSignatureInputs(key))
            val inputs = names.zip(paired(request, names.size)).map { (name, spec) ->
                name to Port(interpreter.getInputTensorFromSignature(name, key), spec)
            }
            val outputs = byNumber(interpreter.getSignatureOutputs(key)).map { name ->
                name to Port(interpreter.getOutputTensorFromSignature(name, key))
            }
            return Signature(interpreter, key, inputs, outputs)
        }

        private fun paired(request: ModelRequest, count: Int): List<TensorSpec> {
            if (count != request.inputs.size) {
                throw Refused(
                    "${request.file.name} takes $count inputs, and the job has " +
                        "${request.inputs.size}; write the job again."
                )
            }
            return request.inputs
        }
    }
}

/** The first network of a file. */
private class WholeFile(
    private val interpreter: Interpreter,
    inputs: List<Pair<Port, Int>>,
    outputs: List<Pair<Port, Int>>,
) : Call(inputs.map { it.first }, outputs.map { it.first }) {
    // By place in the file, as the library wants them; the order of the network may be another.
    private val taken: Array<out Any?> =
        inputs.sortedBy { it.second }.map { it.first.buffer }.toTypedArray()
    private val given: Map<Int, Any> = outputs.associate { (port, place) -> place to port.buffer }

    override fun run() = interpreter.runForMultipleInputsOutputs(taken, given)
}

/** A network that is called by its signature. */
private class Signature(
    private val interpreter: Interpreter,
    private val key: String,
    inputs: List<Pair<String, Port>>,
    outputs: List<Pair<String, Port>>,
) : Call(inputs.map { it.second }, outputs.map { it.second }) {
    private val taken: Map<String, Any> = inputs.associate { (name, port) -> name to port.buffer }
    private val given: Map<String, Any> = outputs.associate { (name, port) -> name to port.buffer }

    override fun run() = interpreter.runSignature(taken, given, key)
}

/** Places of inputs and outputs in the file, in the order of the network. */
private class Order(val inputs: List<Int>, val outputs: List<Int>) {
    companion object {
        /**
         * Return the order that the numbers in a file's only signature tell.
         *
         * LiteRT Torch numbers tensors there (`args_0`, `output_1`) and may list them in another
         * order. Every other file lists them in its own.
         */
        fun of(interpreter: Interpreter, signatures: List<String>): Order {
            val inputs = (0 until interpreter.inputTensorCount).toList()
            val outputs = (0 until interpreter.outputTensorCount).toList()
            val key = signatures.singleOrNull() ?: return Order(inputs, outputs)
            val taken = byNumber(interpreter.getSignatureInputs(key))
                .map { interpreter.getInputTensorFromSignature(it, key) }
            val given = byNumber(interpreter.getSignatureOutputs(key))
                .map { interpreter.getOutputTensorFromSignature(it, key) }
            return Order(
                inputs.map(interpreter::getInputTensor).placesOf(taken) ?: inputs,
                outputs.map(interpreter::getOutputTensor).placesOf(given) ?: outputs,
            )
        }

        private fun List<Tensor>.placesOf(tensors: List<Tensor>): List<Int>? {
            val places = tensors.map { wanted -> indexOfFirst { it.index() == wanted.index() } }
            return places.takeIf { it.sorted() == indices.toList() }
        }
    }
}

private val NUMBERED = Regex("(?:args|output)_(\\d+)")

/** Return names in the order of their numbers, or as they are where one has none. */
private fun byNumber(names: Array<String>): List<String> {
    val numbers = names.map { NUMBERED.matchEntire(it)?.groupValues?.get(1)?.toIntOrNull() }
    val numbered = names.toList().zip(numbers)
    if (numbers.any { it == null }) return names.toList()
    return numbered.sortedBy { it.second }.map { it.first }
}
