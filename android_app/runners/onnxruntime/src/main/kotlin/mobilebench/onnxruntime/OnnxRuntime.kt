package mobilebench.onnxruntime

import ai.onnxruntime.OrtEnvironment
import ai.onnxruntime.OrtException
import ai.onnxruntime.OrtLoggingLevel
import ai.onnxruntime.OrtProvider
import ai.onnxruntime.OrtSession.SessionOptions
import java.io.File
import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.Format
import mobilebench.core.documents.Refused
import mobilebench.core.running.Model
import mobilebench.core.running.ModelFailed
import mobilebench.core.running.ModelRequest
import mobilebench.core.running.Runtime

/**
 * ONNX Runtime, with one execution provider for each unit.
 *
 * Operations that a provider does not take run on the CPU's; [Model.placement] tells which.
 */
class OnnxRuntime(
    /** The API level of Android; null where this is not Android. */
    private val androidApi: Int?,
    /** Where a profile may be written for [Model.placement]; null for none. */
    private val profiles: File? = null,
) : Runtime {
    private val environment: OrtEnvironment = environment()
    private val providers = OrtEnvironment.getAvailableProviders()

    override val name = "onnxruntime"
    override val version: String = environment.version
    override val format = Format.ONNX
    override val units: Map<ComputeUnit, String?> =
        ComputeUnit.values().associateWith { unit -> whyNot(unit) }

    /**
     * Threads that spin while they wait answer sooner and heat the phone. They spin here, as by
     * default, so that results compare with those of other programs.
     */
    override val settings = mapOf("session.intra_op.allow_spinning" to "1")

    override fun load(request: ModelRequest): Model {
        val provider = provider(request)
        val file = OnnxFile.read(request.file)
        val plan = SessionPlan(environment, request, file.entries, profiles) { options ->
            add(provider, options, request.threads)
        }
        return plan.model()
    }

    private fun whyNot(unit: ComputeUnit): String? = when (unit) {
        ComputeUnit.CPU -> null
        ComputeUnit.GPU -> whyNot(Provider.WEBGPU)
        ComputeUnit.NPU -> whyNot(Provider.NNAPI)
        ComputeUnit.ALL -> "ONNX Runtime asks its providers in turn; name one unit"
    }

    private fun whyNot(provider: Provider): String? = when {
        provider.library !in providers -> "this build has no ${provider.title}"
        provider == Provider.NNAPI && androidApi == null -> "NNAPI is a part of Android"
        provider == Provider.NNAPI && androidApi != null && androidApi < NNAPI_SINCE ->
            "NNAPI came with API level $NNAPI_SINCE, and this is $androidApi"
        else -> null
    }

    /** Return the provider for a request. Throws [Refused]. */
    private fun provider(request: ModelRequest): Provider {
        val unit = request.unit
        val word = request.delegate
        if (word == null) {
            units[unit]?.let { throw Refused("ONNX Runtime cannot compute on ${unit.word}: $it.") }
            return Provider.usual(unit)
        }
        val provider = Provider.values().firstOrNull { it.word == word }
            ?: throw Refused("ONNX Runtime has no delegate $word; name one of ${Provider.words}.")
        if (provider.unit != unit) {
            throw Refused(
                "${provider.title} computes on ${provider.unit.word}, and the job asks for " +
                    "${unit.word}; name one of them."
            )
        }
        whyNot(provider)?.let { throw Refused("ONNX Runtime cannot use ${provider.title}: $it.") }
        return provider
    }

    private fun add(provider: Provider, options: SessionOptions, threads: Int) {
        // XNNPACK has threads of its own; ONNX Runtime's would compete with them.
        val own = provider == Provider.XNNPACK
        options.setIntraOpNumThreads(if (own) 1 else threads)
        options.setInterOpNumThreads(1)
        for ((entry, value) in settings) options.addConfigEntry(entry, value)
        when (provider) {
            Provider.CPU -> Unit
            Provider.XNNPACK -> options.addXnnpack(mapOf("intra_op_num_threads" to "$threads"))
            Provider.NNAPI -> options.addNnapi()
            Provider.WEBGPU -> options.addWebGPU(emptyMap())
            Provider.QNN -> options.addQnn(mapOf("backend_path" to "libQnnHtp.so"))
        }
    }

    companion object {
        private const val NNAPI_SINCE = 27

        private fun environment(): OrtEnvironment = try {
            OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING, "mobilebench")
                .apply { setTelemetry(false) }
        } catch (error: LinkageError) {
            throw Refused("ONNX Runtime's library does not load here: ${error.message}.")
        } catch (error: OrtException) {
            throw ModelFailed("ONNX Runtime did not start: ${error.message}", error)
        }
    }
}

/** What carries operations out in a session. */
internal enum class Provider(
    val word: String,
    val title: String,
    val unit: ComputeUnit,
    val library: OrtProvider,
) {
    CPU("cpu", "ONNX Runtime's CPU provider", ComputeUnit.CPU, OrtProvider.CPU),
    XNNPACK("xnnpack", "XNNPACK", ComputeUnit.CPU, OrtProvider.XNNPACK),
    NNAPI("nnapi", "NNAPI", ComputeUnit.NPU, OrtProvider.NNAPI),
    QNN("qualcomm", "QNN", ComputeUnit.NPU, OrtProvider.QNN),
    WEBGPU("webgpu", "WebGPU", ComputeUnit.GPU, OrtProvider.WEBGPU);

    companion object {
        val words: String get() = values().joinToString(", ") { it.word }

        fun usual(unit: ComputeUnit): Provider = when (unit) {
            ComputeUnit.GPU -> WEBGPU
            ComputeUnit.NPU -> NNAPI
            ComputeUnit.CPU, ComputeUnit.ALL -> CPU
        }
    }
}
