package mobilebench.executorch

import java.nio.ByteBuffer
import mobilebench.core.documents.DType
import mobilebench.core.documents.PlacedOperation
import mobilebench.core.documents.Refused
import mobilebench.core.documents.TensorSpec
import mobilebench.core.running.Model
import mobilebench.core.running.ModelFailed
import mobilebench.core.running.copy
import mobilebench.core.running.directBuffer
import mobilebench.core.running.requireFed
import org.pytorch.executorch.EValue
import org.pytorch.executorch.Module
import org.pytorch.executorch.Tensor

/** A method with the memory of its inputs; its outputs lie in the library's. */
internal class ExecuTorchModel(
    private val module: Module,
    private val method: String,
    private val inputs: List<TensorSpec>,
    override val outputs: List<TensorSpec>,
    override val placement: List<PlacedOperation>,
) : Model {
    private val taken = inputs.map { directBuffer(it.bytes) }
    private val values: Array<EValue> =
        inputs.zip(taken) { spec, buffer -> EValue.from(tensor(spec, buffer)) }.toTypedArray()
    private var given: Array<EValue> = emptyArray()

    init {
        module.loadMethod(method)
    }

    override fun feed(inputs: List<ByteBuffer>) {
        requireFed(this.inputs, inputs)
        taken.zip(inputs) { buffer, input -> copy(input, buffer) }
    }

    override fun run() {
        try {
            given = module.execute(method, *values)
        } catch (error: RuntimeException) {
            throw failed("run $method", error)
        }
        if (given.size != outputs.size) {
            throw ModelFailed("ExecuTorch gave ${given.size} outputs of ${outputs.size}.")
        }
    }

    override fun read(): List<ByteBuffer> = outputs.zip(given) { spec, value ->
        val tensor = value.toTensor()
        if (tensor.shape().map(Long::toInt) != spec.shape) {
            throw ModelFailed("ExecuTorch gave ${tensor.shape().joinToString("x")} for $spec.")
        }
        directBuffer(spec.bytes).also { copyOut(tensor, spec.dtype, it) }
    }

    override fun close() = module.close()

    private fun tensor(spec: TensorSpec, buffer: ByteBuffer): Tensor {
        val shape = LongArray(spec.shape.size) { spec.shape[it].toLong() }
        return when (spec.dtype) {
            DType.FLOAT32 -> Tensor.fromBlob(buffer.asFloatBuffer(), shape)
            DType.FLOAT16 -> Tensor.fromBlob(buffer.asShortBuffer(), shape)
            DType.INT8 -> Tensor.fromBlob(buffer, shape)
            DType.UINT8 -> Tensor.fromBlobUnsigned(buffer, shape)
            DType.INT32 -> Tensor.fromBlob(buffer.asIntBuffer(), shape)
            DType.INT64 -> Tensor.fromBlob(buffer.asLongBuffer(), shape)
            DType.BOOL -> throw Refused("ExecuTorch's Java takes no inputs of truth values.")
        }
    }

    private fun copyOut(tensor: Tensor, dtype: DType, to: ByteBuffer) {
        when (dtype) {
            DType.FLOAT32 -> tensor.copyDataInto(to.asFloatBuffer())
            DType.FLOAT16 -> tensor.copyDataInto(to.asShortBuffer())
            DType.INT8 -> tensor.copyDataInto(to.duplicate())
            DType.UINT8 -> tensor.copyDataIntoUnsigned(to.duplicate())
            DType.INT32 -> tensor.copyDataInto(to.asIntBuffer())
            DType.INT64 -> tensor.copyDataInto(to.asLongBuffer())
            DType.BOOL -> throw Refused("ExecuTorch's Java gives no outputs of truth values.")
        }
    }
}
