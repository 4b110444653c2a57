package mobilebench.executorch

import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.Format
import mobilebench.core.documents.PlacedOperation
import mobilebench.core.documents.TensorSpec
import mobilebench.core.running.Model
import mobilebench.core.running.ModelFailed
import mobilebench.core.running.ModelRequest
import mobilebench.core.running.Refused
import mobilebench.core.running.Runtime
import org.pytorch.executorch.ExecuTorchRuntime
import org.pytorch.executorch.Module

/**
 * ExecuTorch, whose programs were made for a backend when they were exported.
 *
 * An error inside the library ends the process where libfbjni.so is older than the library, so a
 * program is read and checked here first. What that cannot see is the content of a backend's part:
 * run it in a process that may end.
 */
class ExecuTorch(
    /** The library's version, which it does not tell itself. */
    override val version: String,
    /** The API level of Android; null where this is not Android. */
    private val androidApi: Int?,
) : Runtime {
    private val registered: Set<String>
    private val operators: Set<String>

    override val name = "executorch"
    override val format = Format.EXECUTORCH

    init {
        try {
            // First, and from Java: libexecutorch.so needs it, and Java binds to it only so.
            System.loadLibrary("fbjni")
            registered = ExecuTorchRuntime.getRegisteredBackends().toSet()
            operators = ExecuTorchRuntime.getRegisteredOps().toSet()
        } catch (error: LinkageError) {
            throw Refused("ExecuTorch's library does not load here: ${error.message}.")
        }
    }

    override val units: Map<ComputeUnit, String?> = mapOf(
        ComputeUnit.CPU to null,
        ComputeUnit.GPU to whyNot(Backend.VULKAN),
        ComputeUnit.NPU to whyNot(Backend.QUALCOMM),
        ComputeUnit.ALL to "a program was made for one backend; name its unit",
    )

    override fun load(request: ModelRequest): Model {
        units[request.unit]?.let {
            throw Refused("ExecuTorch cannot compute on ${request.unit.word}: $it.")
        }
        val program = ProgramFile.read(request.file)
        val method = method(program, request)
        requireRunnable(method, request)
        requireInputs(method, request)
        val outputs = outputs(method, request)
        try {
            val module = Module.load(request.file.path, Module.LOAD_MODE_MMAP, request.threads)
            return ExecuTorchModel(module, method.name, request.inputs, outputs, placement(method))
        } catch (error: RuntimeException) {
            throw failed("load ${request.file.name}", error)
        }
    }

    private fun whyNot(backend: Backend): String? = when {
        backend.identifier !in registered -> "this build has no ${backend.title}"
        backend.unit != ComputeUnit.CPU && androidApi == null ->
            "${backend.title} is used on Android alone"
        else -> null
    }

    private fun method(program: Program, request: ModelRequest): Method {
        val entry = request.entry ?: USUAL
        return program.methods.firstOrNull { it.name == entry } ?: throw Refused(
            "${request.file.name} was asked for its entry $entry; it has " +
                "${program.methods.joinToString { it.name }}.",
        )
    }

    /** Require that the library has what the method calls, and that this is what was asked for. */
    private fun requireRunnable(method: Method, request: ModelRequest) {
        val file = request.file.name
        for (identifier in method.backends) {
            val backend = Backend.of(identifier)
            if (backend == null || identifier !in registered) {
                throw Refused("$file was made for $identifier, and this build has none; export " +
                    "it for ${registered.joinToString(" or ")}.")
            }
            whyNot(backend)?.let { throw Refused("$file was made for ${backend.title}: $it.") }
            if (backend.unit != request.unit) {
                throw Refused("$file was made for ${backend.title}, which computes on " +
                    "${backend.unit.word}, and the job asks for ${request.unit.word}; name one.")
            }
        }
        if (method.backends.isEmpty() && request.unit != ComputeUnit.CPU) {
            throw Refused("$file was made for no backend, and computes on the CPU.")
        }
        val asked = request.delegate?.let(Backend::named)
        if (request.delegate != null && asked?.identifier !in method.backends) {
            val backends = method.backends.joinToString(" and ").ifEmpty { "none" }
            throw Refused("the job names the delegate ${request.delegate}, and $file was made " +
                "for $backends; write the job again.")
        }
        val missing = method.operators.filterNot { it in operators }
        if (missing.isNotEmpty()) {
            throw Refused("$file calls ${missing.joinToString()}, which this build has not; " +
                "export it for a backend that takes these.")
        }
    }

    private fun requireInputs(method: Method, request: ModelRequest) {
        val file = request.file.name
        if (method.inputs.size != request.inputs.size) {
            throw Refused("$file takes ${method.inputs.size} inputs, and the job has " +
                "${request.inputs.size}; write the job again.")
        }
        for ((taken, spec) in method.inputs.zip(request.inputs)) {
            if (taken == null || !taken.plain || taken.shape != spec.shape ||
                taken.dtype != spec.dtype
            ) {
                throw Refused("$file takes ${described(taken)}, and the job feeds $spec; write " +
                    "the job again.")
            }
        }
    }

    private fun outputs(method: Method, request: ModelRequest): List<TensorSpec> =
        method.outputs.mapIndexed { place, output ->
            val dtype = output?.dtype
            if (output == null || dtype == null || !output.plain) {
                throw Refused("${request.file.name} gives ${described(output)}, and only plain " +
                    "tensors of numbers can be compared.")
            }
            TensorSpec("output$place", output.shape, dtype)
        }

    private fun described(tensor: ProgramTensor?): String = when {
        tensor == null -> "a value that is no tensor"
        !tensor.plain -> "a tensor in an order of its own or of open sizes"
        else -> "${tensor.shape.joinToString("x")} ${tensor.dtype?.word ?: "type ${tensor.code}"}"
    }

    private fun placement(method: Method): List<PlacedOperation> =
        method.steps.mapIndexed { place, step ->
            val unit = if (step.backend == null) ComputeUnit.CPU else Backend.of(step.backend)?.unit
            PlacedOperation("${step.kind} $place", step.kind, unit)
        }

    private companion object {
        const val USUAL = "forward"
    }
}

/** Backends that programs are exported for. */
private enum class Backend(
    val word: String, val identifier: String, val title: String, val unit: ComputeUnit,
) {
    XNNPACK("xnnpack", "XnnpackBackend", "XNNPACK", ComputeUnit.CPU),
    VULKAN("vulkan", "VulkanBackend", "Vulkan", ComputeUnit.GPU),
    QUALCOMM("qualcomm", "QnnBackend", "QNN", ComputeUnit.NPU);

    companion object {
        fun of(identifier: String): Backend? = values().firstOrNull { it.identifier == identifier }

        fun named(word: String): Backend? = values().firstOrNull { it.word == word }
    }
}

internal fun failed(step: String, error: RuntimeException) =
    ModelFailed("ExecuTorch was to $step: ${error.message}", error)
