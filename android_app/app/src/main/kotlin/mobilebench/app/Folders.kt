package mobilebench.app

import android.content.Context
import java.io.File

/** The folder of jobs, which a cable reaches; null while the storage is not mounted. */
fun jobsFolder(context: Context): File? =
    context.getExternalFilesDir(null)?.let { File(it, "jobs") }?.takeIf {
        it.isDirectory || it.mkdirs()
    }

/** The name of the process that measures, as the system lists it. */
fun runnerProcess(context: Context): String = "${context.packageName}:runner"
