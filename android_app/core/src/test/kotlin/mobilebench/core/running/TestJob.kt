package mobilebench.core.running

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.file.Files
import mobilebench.core.documents.Application
import mobilebench.core.documents.Build
import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.Device
import mobilebench.core.documents.DeviceKind
import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Format
import mobilebench.core.documents.JobFolder
import mobilebench.core.documents.Power
import mobilebench.core.documents.PowerReading
import mobilebench.core.documents.Scheduling
import mobilebench.core.documents.TensorSpec
import mobilebench.core.documents.contentSha256
import mobilebench.core.documents.readJobFolder
import mobilebench.core.engine.EventLog
import mobilebench.core.engine.Instruments

/** The network of the tests: its output is its input. */
internal val SCORES = TensorSpec("scores", listOf(1, 3))

/** Write the folder of a job of two short rounds, with fields put in beside those it has. */
internal fun writeJob(fields: String = "", model: String = "a model", unit: String = "cpu"): File {
    val folder = Files.createTempDirectory("job").toFile()
    File(folder, "model.onnx").writeText(model)
    val parity = File(folder, "parity").apply { mkdir() }
    for (name in listOf("inputs.bin", "expected.bin")) File(parity, name).writeBytes(ONE_TWO_THREE)
    File(folder, "subject.json").writeText(subject(File(folder, "model.onnx")))
    File(folder, "job.json").writeText(
        """{"schema_version": 2, "model_file": "model.onnx", "format": "onnx", "delegate": null,
        "model_sha256": "${contentSha256(File(folder, "model.onnx"))}",
        "inputs": [{"name": "scores", "shape": [1, 3], "dtype": "float32"}],
        "runtime": "onnxruntime", "compute_unit": "$unit", "protocol": $TWO_ROUNDS,
        "parity": ${check(folder)}$fields}""",
    )
    return folder
}

internal fun read(folder: File): JobFolder = readJobFolder(folder)

private val ONE_TWO_THREE: ByteArray =
    ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN).putFloat(1f).putFloat(2f).putFloat(3f)
        .array()

private const val TWO_ROUNDS = """{"id": "test", "purpose": "tests", "rounds": 2,
    "warm_up": {"min_iterations": 2, "min_duration_ns": 0, "max_duration_ns": 1000000000},
    "inferences": 3, "min_duration_ns": 0, "max_duration_ns": 1000000000,
    "gate": {"warmest": "nominal", "poll_ns": 1000000, "max_wait_ns": 5000000}}"""

private fun check(folder: File): String {
    val inputs = contentSha256(File(folder, "parity/inputs.bin"))
    val expected = contentSha256(File(folder, "parity/expected.bin"))
    return """{"batches": 1, "inputs_file": "parity/inputs.bin", "inputs_sha256": "$inputs",
        "expected_file": "parity/expected.bin", "expected_sha256": "$expected", "outputs": [
        {"tensor": {"name": "scores", "shape": [1, 3], "dtype": "float32"},
        "limit": 0.0001, "half_limit": 0.01}]}"""
}

private fun subject(model: File): String =
    """{"schema_version": 1, "model": {"name": "test", "inputs": [{"name": "scores",
    "shape": [1, 3], "dtype": "float32"}]}, "recipe": {"format": "onnx", "precision": "fp32",
    "target": "opset20", "delegate": null, "form": "deployed", "calibration": null},
    "artifact": {"key": "${"e5".repeat(32)}", "sha256": "${contentSha256(model)}",
    "size_bytes": 7, "tool_versions": {}, "preflight": null, "parity": [], "op_histogram": {},
    "structure": {}, "export_seconds": null}}"""

/** A place whose time passes in inferences, waits and loads. */
internal class TestPlace(private val latencyNs: Long = 1_000_000) : Place, Instruments {
    private var now = 0L
    private val batteries = ArrayList<PowerReading>()

    override val instruments: Instruments get() = this
    override val events = EventLog()
    override val application = Application("mobilebench", "test", Build.RELEASE)
    override val residentBytes = 50_000_000L
    override val peakBytes = 60_000_000L

    fun pass(nanoseconds: Long = latencyNs) {
        now += nanoseconds
    }

    override fun nowNs(): Long = now

    override fun waitNs(nanoseconds: Long) = pass(nanoseconds)

    override fun sense(): DeviceState {
        batteries += PowerReading(now, level = 0.5)
        return state()
    }

    override fun state() = DeviceState(tNs = now, batteryFraction = 0.5)

    override fun device() =
        Device("test", DeviceKind.SIMULATED, model = "test", os = "none", osVersion = "0", cores = 8)

    override fun scheduling() = Scheduling(tNs = 0, foreground = true, screenOn = true)

    override fun power(): Power? =
        if (batteries.isEmpty()) null else Power(batteries.toList()).also { batteries.clear() }
}

/** A runtime whose models echo their input, until one is told to fail. */
internal class TestRuntime(
    private val place: TestPlace,
    override val units: Map<ComputeUnit, String?> = mapOf(ComputeUnit.CPU to null),
) : Runtime {
    val loaded = ArrayList<ModelRequest>()
    val fed = ArrayList<List<ByteBuffer>>()
    var closed = 0
    var closeNs = 0L
    var beforeRun: (run: Int) -> Unit = {}
    var beforeLoad: () -> Unit = {}
    private var runs = 0

    override val name = "onnxruntime"
    override val version = "test"
    override val format = Format.ONNX

    override fun load(request: ModelRequest): Model {
        beforeLoad()
        loaded += request
        place.pass(7_000_000)
        return object : Model {
            private var given: List<ByteBuffer> = emptyList()
            override val outputs = listOf(SCORES)
            override val placement = null

            override fun feed(inputs: List<ByteBuffer>) {
                given = inputs
                fed += inputs
            }

            override fun run() {
                runs += 1
                beforeRun(runs)
                place.pass()
            }

            override fun read() = given

            override fun close() {
                closed += 1
                place.pass(closeNs)
            }
        }
    }
}
