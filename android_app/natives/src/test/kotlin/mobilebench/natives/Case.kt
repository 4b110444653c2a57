package mobilebench.natives

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.Properties
import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.DType
import mobilebench.core.documents.TensorSpec
import mobilebench.core.documents.wordOrNull
import mobilebench.core.running.ModelRequest
import mobilebench.core.running.Runtime
import mobilebench.core.running.directBuffer
import mobilebench.core.running.whole
import mobilebench.executorch.ExecuTorch
import mobilebench.onnxruntime.OnnxRuntime
import mobilebench.tflite.LiteRt

/** A job's folder, and what the Python runtime computed for it; `cases.py` writes them. */
class Case(val folder: File) {
    private val stated = Properties().apply {
        File(folder, "python/case.properties").inputStream().use(::load)
    }
    val network: String = stated.getProperty("network")
    val recipe: String = stated.getProperty("recipe")
    val precision: String = stated.getProperty("precision")
    val runtime: String = stated.getProperty("runtime")
    val model = File(folder, stated.getProperty("model"))
    val entries: List<String?> =
        stated.getProperty("entries").split(",").map { it.ifEmpty { null } }
    val inputs: List<TensorSpec> = specs("inputs")
    val outputs: List<TensorSpec> = specs("outputs")

    /** What the outputs are called where each is compared by itself; else empty. */
    val names: List<String> = stated.getProperty("names").split(",").filter { it.isNotEmpty() }

    private val batches = stated.getProperty("batches").toInt()
    private val delegate = stated.getProperty("delegate").ifEmpty { null }

    val title: String get() = "$network $recipe"

    fun request(entry: String? = entries.first(), delegate: String? = this.delegate) =
        ModelRequest(model, entry, inputs, ComputeUnit.CPU, delegate, threads = 1)

    /** Inputs of each batch. */
    fun fed(): List<List<ByteBuffer>> =
        batched(File(folder, stated.getProperty("inputs_file")), inputs)

    /** Outputs of the Python runtime for each batch, by the place of the entry. */
    fun expected(place: Int): List<List<ByteBuffer>> =
        batched(File(folder, "python/$place.bin"), outputs)

    private fun batched(file: File, specs: List<TensorSpec>): List<List<ByteBuffer>> {
        val content = ByteBuffer.wrap(file.readBytes()).order(ByteOrder.LITTLE_ENDIAN)
        val parts = List(batches) {
            specs.map { spec ->
                val part = content.slice().apply { limit(spec.bytes) }
                content.position(content.position() + spec.bytes)
                whole(directBuffer(spec.bytes).put(part))
            }
        }
        check(!content.hasRemaining()) { "$file holds ${content.remaining()} bytes too many" }
        return parts
    }

    private fun specs(name: String): List<TensorSpec> =
        stated.getProperty(name).split(",").mapIndexed { place, text ->
            val (dtype, sizes) = text.split(":")
            val shape = if (sizes.isEmpty()) emptyList() else sizes.split("x").map(String::toInt)
            TensorSpec("$name$place", shape, checkNotNull(wordOrNull<DType>(dtype)) { text })
        }

    override fun toString(): String = title

    companion object {
        /** The folder that `cases.py` wrote, from the property `mobilebench.cases`. */
        private val folder = File(
            checkNotNull(System.getProperty("mobilebench.cases")) {
                "-Dmobilebench.cases names no folder; write one with android_app.natives.cases"
            },
        )

        val all: List<Case> =
            File(folder, "cases.txt").readLines().sorted().map { Case(File(folder, "cases/$it")) }

        /** A case of the smallest network. */
        fun small(runtime: String): Case =
            all.first { it.runtime == runtime && it.network.startsWith("networks") &&
                it.precision == "fp32" }
    }
}

/** The app's runtimes, each loaded once; this is not Android. */
object Runtimes {
    val profiles: File = createTempDir()
    val onnx by lazy { OnnxRuntime(androidApi = null, profiles = profiles) }
    val litert by lazy { LiteRt(androidApi = null) }
    val executorch by lazy {
        val version = checkNotNull(System.getProperty("mobilebench.executorch"))
        ExecuTorch(version, androidApi = null)
    }

    fun named(name: String): Runtime = when (name) {
        "onnxruntime" -> onnx
        "litert" -> litert
        "executorch" -> executorch
        else -> error("no runtime $name")
    }

    private fun createTempDir(): File =
        java.nio.file.Files.createTempDirectory("mobilebench").toFile().apply { deleteOnExit() }
}
