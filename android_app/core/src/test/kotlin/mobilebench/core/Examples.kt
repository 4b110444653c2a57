package mobilebench.core

import java.io.File
import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.Device
import mobilebench.core.documents.DeviceKind
import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.GateLog
import mobilebench.core.documents.Load
import mobilebench.core.documents.LoadKind
import mobilebench.core.documents.Phase
import mobilebench.core.documents.RuntimeInfo
import mobilebench.core.documents.Samples
import mobilebench.core.documents.ThermalState
import mobilebench.core.documents.UnitEvidence
import mobilebench.core.documents.readJob
import mobilebench.core.journal.Line
import mobilebench.core.journal.Start
import mobilebench.core.journal.toJson
import mobilebench.core.json.sha256
import mobilebench.core.json.text

/** A model file of nine bytes, and documents about it. */
val MODEL: ByteArray = "not a net".toByteArray()
val MODEL_SHA256: String = sha256(MODEL)

fun jobText(more: String = ""): String = """
    {"schema_version": 2, "model_file": "model.onnx", "model_sha256": "$MODEL_SHA256",
     "format": "onnx", "delegate": null, "runtime": "onnxruntime",
     "inputs": [{"name": "image", "shape": [1, 3, 8, 8]}],
     "protocol": {"id": "example", "purpose": "tests", "rounds": 2, "inferences": 2,
       "min_duration_ns": 0, "max_duration_ns": 1000000000, "gate": {},
       "warm_up": {"min_iterations": 1, "min_duration_ns": 0, "max_duration_ns": 1000000000}}$more}
""".trimIndent()

fun subjectText(fileSha256: String = MODEL_SHA256): String = """
    {"schema_version": 1,
     "model": {"name": "example", "inputs": [{"name": "image", "shape": [1, 3, 8, 8]}]},
     "recipe": {"format": "onnx", "target": "opset20"},
     "artifact": {"key": "${"e5".repeat(32)}", "sha256": "$fileSha256", "size_bytes": 9,
       "tool_versions": {"onnx": "1.0"}, "preflight": null, "parity": [],
       "op_histogram": {"Conv": 3}, "structure": {"opset": "20"}, "export_seconds": 0.5}}
""".trimIndent()

/** Write the folder of the example's job. */
fun writeJobFolder(folder: File, job: String = jobText()): File {
    File(folder, "job.json").writeText(job)
    File(folder, "subject.json").writeText(subjectText())
    File(folder, "model.onnx").writeBytes(MODEL)
    return folder
}

val JOB_SHA256: String = readJob(jobText().toByteArray()).sha256
val RUNTIME = RuntimeInfo(
    "onnxruntime", "1.0", ComputeUnit.CPU, UnitEvidence.CONFIRMED, delegate = null, threads = 1
)
val DEVICE = Device("id", DeviceKind.PHONE, "Phone", os = "android", osVersion = "14")

fun start(tNs: Long = 0, round: Int = 0) = Start(
    jobSha256 = JOB_SHA256,
    created = "2026-01-02T03:04:05.678Z",
    tNs = tNs,
    round = round,
    device = DEVICE,
    runtime = RUNTIME,
    before = DeviceState(tNs, ThermalState.NOMINAL, temperaturesC = mapOf("skin" to 30.5)),
    beforeLoadBytes = 50_000_000,
)

/** Return a line with a warm-up and a measured sample of a round that begins at a time. */
fun roundLine(round: Int, tNs: Long, ended: Boolean = true, kind: LoadKind = LoadKind.WARM) = Line(
    loads = listOf(Load(kind, 3_000_000)),
    gates = listOf(GateLog(0, ThermalState.NOMINAL, open = true)),
    samples = Samples(
        longArrayOf(tNs, tNs + 2_000_000), longArrayOf(1_000_000, 1_000_001L + round),
        arrayOf(Phase.WARM_UP, Phase.MEASURED), intArrayOf(round, round),
    ),
    states = listOf(DeviceState(tNs, ThermalState.NOMINAL)),
    peakBytes = 80_000_000,
    roundEnded = if (ended) round else null,
)

/** Return lines as the bytes of a journal. */
fun journalOf(lines: List<Line>): ByteArray =
    lines.mapIndexed { number, line -> line.toJson(number).text() + "\n" }
        .joinToString("").toByteArray()
