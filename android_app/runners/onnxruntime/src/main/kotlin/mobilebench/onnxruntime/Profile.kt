package mobilebench.onnxruntime

import java.io.File
import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.PlacedOperation

/**
 * Reads where operations ran from a profile of ONNX Runtime.
 *
 * The file is a list of events in Chrome's trace format, one a line. Those of category `Node` name
 * the operation and the provider that ran it.
 */
internal object Profile {
    private val NAME = Regex("\"name\"\\s*:\\s*\"(.*?)_kernel_time\"")
    private val KIND = Regex("\"op_name\"\\s*:\\s*\"(.*?)\"")
    private val PROVIDER = Regex("\"provider\"\\s*:\\s*\"(.*?)\"")
    private val UNITS = mapOf(
        "CPUExecutionProvider" to ComputeUnit.CPU,
        "XnnpackExecutionProvider" to ComputeUnit.CPU,
        "NnapiExecutionProvider" to ComputeUnit.NPU,
        "QNNExecutionProvider" to ComputeUnit.NPU,
        "WebGpuExecutionProvider" to ComputeUnit.GPU,
    )

    /** Read a profile and remove it; null where it names no operation. */
    fun read(file: File): List<PlacedOperation>? {
        val operations = file.useLines { lines -> lines.mapNotNull(::operation).toList() }
        file.delete()
        return operations.ifEmpty { null }
    }

    private fun operation(line: String): PlacedOperation? {
        val name = NAME.find(line)?.groupValues?.get(1) ?: return null
        val kind = KIND.find(line)?.groupValues?.get(1) ?: return null
        val provider = PROVIDER.find(line)?.groupValues?.get(1) ?: return null
        return PlacedOperation(name, "$kind ($provider)", UNITS[provider])
    }
}
