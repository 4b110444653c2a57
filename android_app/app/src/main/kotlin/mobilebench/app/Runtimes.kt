package mobilebench.app

import android.content.Context
import android.os.Build
import mobilebench.core.documents.Refused
import mobilebench.core.running.Runtime
import mobilebench.executorch.ExecuTorch
import mobilebench.onnxruntime.OnnxRuntime
import mobilebench.tflite.LiteRt

/** Load the library that a job names. */
fun runtimeOf(name: String, context: Context): Runtime = when (name) {
    "onnxruntime" -> OnnxRuntime(Build.VERSION.SDK_INT, profiles = context.cacheDir)
    "litert" -> LiteRt(Build.VERSION.SDK_INT)
    "executorch" -> {
        // The library does not tell its version; the build does.
        ExecuTorch(context.getString(R.string.executorch_version), Build.VERSION.SDK_INT)
    }
    else -> throw Refused(
        "The job asks for the runtime $name, and this app has onnxruntime, litert and executorch.",
    )
}
