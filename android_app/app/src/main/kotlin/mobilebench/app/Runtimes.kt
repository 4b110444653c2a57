package mobilebench.app

import android.os.Build
import java.io.File
import mobilebench.core.documents.Refused
import mobilebench.core.running.Runtime
import mobilebench.executorch.ExecuTorch
import mobilebench.onnxruntime.OnnxRuntime
import mobilebench.tflite.LiteRt

/** The version of the ExecuTorch that is packed into this app; the library does not tell it. */
private const val EXECUTORCH_VERSION = "1.2"

/** Load the library that a job names; [profiles] is a folder for its profiles. */
fun runtimeOf(name: String, profiles: File): Runtime = when (name) {
    "onnxruntime" -> OnnxRuntime(Build.VERSION.SDK_INT, profiles)
    "litert" -> LiteRt(Build.VERSION.SDK_INT)
    "executorch" -> ExecuTorch(EXECUTORCH_VERSION, Build.VERSION.SDK_INT)
    else -> throw Refused(
        "The job asks for the runtime $name, and this app has onnxruntime, litert and executorch.",
    )
}
