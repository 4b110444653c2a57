package mobilebench.onnxruntime

import ai.onnxruntime.NodeInfo
import ai.onnxruntime.OnnxJavaType
import ai.onnxruntime.OnnxTensor
import ai.onnxruntime.OrtEnvironment
import ai.onnxruntime.OrtException
import ai.onnxruntime.OrtException.OrtErrorCode
import ai.onnxruntime.OrtSession
import ai.onnxruntime.OrtSession.SessionOptions
import ai.onnxruntime.TensorInfo
import java.io.File
import java.nio.ByteBuffer
import mobilebench.core.documents.DType
import mobilebench.core.documents.TensorSpec
import mobilebench.core.running.Model
import mobilebench.core.running.ModelFailed
import mobilebench.core.running.ModelRequest
import mobilebench.core.running.Refused
import mobilebench.core.running.directBuffer

/** Makes sessions for one request: the one that is timed, and one that is only profiled. */
internal class SessionPlan(
    private val environment: OrtEnvironment,
    private val request: ModelRequest,
    private val entries: List<String>,
    private val profiles: File?,
    private val configure: (SessionOptions) -> Unit,
) {
    private val file = request.file.name

    fun model(): Model = failing("load $file") {
        val entry = request.entry?.let(::entry)
        val choice = entry?.let { tensor(TensorSpec(it.name, emptyList(), DType.INT64)) }
        choice?.buffer?.putLong(0, entry.value)
        val session = session { options ->
            if (choice != null) options.addInitializer(choice.spec.name, choice.tensor)
        }
        val inputs = inputs(session)
        val outputs = outputs(session, inputs)
        OnnxModel(session, inputs, outputs, listOfNotNull(choice)) { profile(choice, inputs) }
    }

    private fun session(more: (SessionOptions) -> Unit): OrtSession {
        val options = SessionOptions()
        try {
            configure(options)
            more(options)
            return environment.createSession(request.file.path, options)
        } finally {
            options.close()
        }
    }

    /** Return the input and the value that an entry such as `narrow=1` names. */
    private fun entry(entry: String): Choice {
        val value = entry.substringAfter('=', "").toLongOrNull()
        if (entry !in entries || value == null) {
            val has =
                if (entries.isEmpty()) "holds one network" else "has ${entries.joinToString()}"
            throw Refused("$file was asked for its entry $entry; it $has.")
        }
        return Choice(entry.substringBefore('='), value)
    }

    /** Return tensors for the inputs, in the order of the job. */
    private fun inputs(session: OrtSession): List<BoundTensor> {
        val infos = session.inputInfo.values.toList()
        if (infos.size != request.inputs.size) {
            throw Refused(
                "$file takes ${infos.size} inputs, and the job has ${request.inputs.size}; " +
                    "write the job again."
            )
        }
        return infos.zip(request.inputs).map { (info, spec) ->
            val taken = tensorInfo(info)
            if (dtype(taken, info.name) != spec.dtype || !fits(taken.shape, spec.shape)) {
                throw Refused(
                    "$file takes ${described(info.name, taken)}, and the job feeds $spec; write " +
                        "the job again."
                )
            }
            tensor(spec.copy(name = info.name))
        }
    }

    /** Whether the sizes that a file states, or leaves open below zero, are those of a job. */
    private fun fits(stated: LongArray, given: List<Int>): Boolean = stated.size == given.size &&
        stated.indices.all { stated[it] < 0 || stated[it] == given[it].toLong() }

    /** Return tensors for the outputs; sizes that the file leaves open are found by one run. */
    private fun outputs(session: OrtSession, inputs: List<BoundTensor>): List<BoundTensor> {
        val infos = session.outputInfo.values.toList()
        val open = infos.any { info -> tensorInfo(info).shape.any { it < 0 } }
        val shapes = if (open) shapes(session, inputs) else infos.map { tensorInfo(it).shape }
        return infos.zip(shapes).map { (info, shape) ->
            val type = dtype(tensorInfo(info), info.name)
            tensor(TensorSpec(info.name, shape.map(Long::toInt), type))
        }
    }

    private fun shapes(session: OrtSession, inputs: List<BoundTensor>): List<LongArray> =
        session.run(inputs.associate { it.spec.name to it.tensor }).use { result ->
            result.map { (name, value) ->
                val info = value.info as? TensorInfo
                    ?: throw Refused("the output $name of $file is no tensor.")
                info.shape
            }
        }

    private fun tensorInfo(info: NodeInfo): TensorInfo = info.info as? TensorInfo
        ?: throw Refused("${info.name} of $file is no tensor, and only tensors can be compared.")

    private fun dtype(info: TensorInfo, name: String): DType = dtypeOrNull(info.type)
        ?: throw Refused("$name of $file is of type ${info.type}, which jobs cannot hold.")

    private fun described(name: String, info: TensorInfo): String {
        val sizes = info.shape.joinToString("x") { if (it < 0) "?" else "$it" }
        return "$name $sizes ${dtypeOrNull(info.type)?.word ?: info.type}"
    }

    private fun tensor(spec: TensorSpec): BoundTensor {
        val buffer = directBuffer(spec.bytes)
        val shape = LongArray(spec.shape.size) { spec.shape[it].toLong() }
        return BoundTensor(spec, buffer, created(buffer, spec.dtype, shape))
    }

    private fun created(buffer: ByteBuffer, dtype: DType, shape: LongArray): OnnxTensor =
        when (dtype) {
            DType.FLOAT32 -> OnnxTensor.createTensor(environment, buffer.asFloatBuffer(), shape)
            DType.FLOAT16 -> OnnxTensor.createTensor(
                environment, buffer.asShortBuffer(), shape, OnnxJavaType.FLOAT16,
            )
            DType.INT32 -> OnnxTensor.createTensor(environment, buffer.asIntBuffer(), shape)
            DType.INT64 -> OnnxTensor.createTensor(environment, buffer.asLongBuffer(), shape)
            DType.INT8 -> OnnxTensor.createTensor(environment, buffer, shape, OnnxJavaType.INT8)
            DType.UINT8 -> OnnxTensor.createTensor(environment, buffer, shape, OnnxJavaType.UINT8)
            DType.BOOL -> OnnxTensor.createTensor(environment, buffer, shape, OnnxJavaType.BOOL)
        }

    /** Run once with a profile, in a session of its own, and return what ran where. */
    private fun profile(choice: BoundTensor?, inputs: List<BoundTensor>) =
        profiles?.let { folder ->
            failing("profile $file") {
                val session = session { options ->
                    if (choice != null) options.addInitializer(choice.spec.name, choice.tensor)
                    options.enableProfiling(File(folder, "mobilebench").path)
                }
                session.use {
                    it.run(inputs.associate { each -> each.spec.name to each.tensor }).close()
                    Profile.read(File(it.endProfiling()))
                }
            }
        }

    private class Choice(val name: String, val value: Long)
}

/** A tensor whose content is a buffer of ours. */
internal class BoundTensor(val spec: TensorSpec, val buffer: ByteBuffer, val tensor: OnnxTensor)

private fun dtypeOrNull(type: OnnxJavaType): DType? = when (type) {
    OnnxJavaType.FLOAT -> DType.FLOAT32
    OnnxJavaType.FLOAT16 -> DType.FLOAT16
    OnnxJavaType.INT8 -> DType.INT8
    OnnxJavaType.UINT8 -> DType.UINT8
    OnnxJavaType.INT32 -> DType.INT32
    OnnxJavaType.INT64 -> DType.INT64
    OnnxJavaType.BOOL -> DType.BOOL
    else -> null
}

/** Do a step; what the library says about it becomes [ModelFailed], or [Refused] for a bad file. */
internal inline fun <T> failing(step: String, action: () -> T): T = try {
    action()
} catch (error: OrtException) {
    if (error.code == OrtErrorCode.ORT_INVALID_PROTOBUF) {
        throw Refused("ONNX Runtime was to $step and cannot read it: ${error.message}.")
    }
    throw ModelFailed("ONNX Runtime was to $step: ${error.message}", error)
}
