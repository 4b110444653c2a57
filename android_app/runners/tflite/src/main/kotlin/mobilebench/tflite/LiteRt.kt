package mobilebench.tflite

import java.io.File
import java.io.RandomAccessFile
import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.Format
import mobilebench.core.running.Model
import mobilebench.core.running.ModelFailed
import mobilebench.core.running.ModelRequest
import mobilebench.core.running.Refused
import mobilebench.core.running.Runtime
import org.tensorflow.lite.Delegate
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.TensorFlowLite
import org.tensorflow.lite.nnapi.NnApiDelegate

/**
 * TensorFlow Lite: XNNPACK on the CPU, NNAPI, and the GPU where the app brings that delegate.
 *
 * What a delegate does not take runs on the CPU. The library does not say what that was, so there
 * is no placement.
 */
class LiteRt(
    /** The API level of Android; null where this is not Android. */
    private val androidApi: Int?,
    /** Makes the delegate of the GPU; null in an app that has none. */
    private val gpu: (() -> Delegate)? = null,
) : Runtime {
    override val name = "litert"
    override val version: String = libraryVersion()
    override val format = Format.TFLITE
    override val units: Map<ComputeUnit, String?> = mapOf(
        ComputeUnit.CPU to null,
        ComputeUnit.GPU to if (gpu == null) "this app is built without its GPU delegate" else null,
        ComputeUnit.NPU to whyNoNnapi(),
        ComputeUnit.ALL to "TensorFlow Lite takes one delegate; name one unit",
    )

    override fun load(request: ModelRequest): Model {
        requireUnit(request)
        requireFile(request.file)
        val delegate = delegate(request.unit)
        try {
            return model(request, delegate)
        } catch (error: Exception) {
            delegate?.close()
            throw error
        }
    }

    private fun model(request: ModelRequest, delegate: Delegate?): Model {
        val options = Interpreter.Options().setNumThreads(request.threads)
            .setUseXNNPACK(request.unit == ComputeUnit.CPU)
        delegate?.let(options::addDelegate)
        val interpreter = interpreter(request.file, options)
        try {
            return failing("load ${request.file.name}") {
                LiteRtModel(Call.of(interpreter, request), interpreter, delegate)
            }
        } catch (error: Exception) {
            interpreter.close()
            throw error
        }
    }

    private fun interpreter(file: File, options: Interpreter.Options): Interpreter = try {
        Interpreter(file, options)
    } catch (error: IllegalArgumentException) {
        val said = error.message.orEmpty()
        if (UNREADABLE !in said) throw failed("load ${file.name}", error)
        throw Refused("${file.name} is not a whole TensorFlow Lite file; copy it again.")
    } catch (error: RuntimeException) {
        throw failed("load ${file.name}", error)
    }

    private fun whyNoNnapi(): String? = when {
        androidApi == null -> "NNAPI is a part of Android"
        androidApi < NNAPI_SINCE ->
            "NNAPI came with API level $NNAPI_SINCE, and this is $androidApi"
        androidApi > NNAPI_UNTIL -> "Android gave NNAPI up after version 14"
        else -> null
    }

    private fun requireUnit(request: ModelRequest) {
        units[request.unit]?.let {
            throw Refused("TensorFlow Lite cannot compute on ${request.unit.word}: $it.")
        }
        val usual = USUAL[request.unit]
        if (request.delegate != null && request.delegate != usual) {
            throw Refused(
                "TensorFlow Lite has no delegate ${request.delegate} for ${request.unit.word}; " +
                    "name $usual, or none."
            )
        }
    }

    private fun delegate(unit: ComputeUnit): Delegate? = when (unit) {
        ComputeUnit.GPU -> gpu?.invoke()
        ComputeUnit.NPU -> NnApiDelegate()
        ComputeUnit.CPU, ComputeUnit.ALL -> null
    }

    private companion object {
        const val NNAPI_SINCE = 27
        const val NNAPI_UNTIL = 34

        /** What the library says where a file fails its verification. */
        const val UNREADABLE = "does not encode a valid"
        val USUAL = mapOf(
            ComputeUnit.CPU to "xnnpack", ComputeUnit.GPU to "gpu", ComputeUnit.NPU to "nnapi",
        )

        fun libraryVersion(): String = try {
            TensorFlowLite.runtimeVersion()
        } catch (error: LinkageError) {
            throw Refused("TensorFlow Lite's library does not load here: ${error.message}.")
        }
    }
}

private const val MARK = "TFL3"
private const val MARK_PLACE = 4L

/** Throws [Refused] for a file that is not there or has not the mark of TensorFlow Lite. */
private fun requireFile(file: File) {
    if (!file.isFile) throw Refused("${file.name} is not there; copy the job's folder again.")
    val mark = ByteArray(MARK.length)
    val read = RandomAccessFile(file, "r").use {
        it.seek(MARK_PLACE)
        it.read(mark)
    }
    if (read != mark.size || String(mark, Charsets.ISO_8859_1) != MARK) {
        throw Refused(
            "${file.name} is not a TensorFlow Lite file; give the file that the job names."
        )
    }
}

/** Do a step; what the library says about it becomes [ModelFailed]. */
internal inline fun <T> failing(step: String, action: () -> T): T = try {
    action()
} catch (error: RuntimeException) {
    throw failed(step, error)
}

internal fun failed(step: String, error: RuntimeException) =
    ModelFailed("TensorFlow Lite was to $step: ${error.message}", error)
