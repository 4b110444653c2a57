package mobilebench.app

import android.app.ActivityManager
import android.content.Context
import android.os.Build
import mobilebench.core.sensors.Exit
import mobilebench.core.sensors.exitOf

/** How the system says that the measuring process ended. */
class NotedExit(val exit: Exit, val description: String?)

/** Return how the process that measured ended, of the ends since a time; Android 11 notes them. */
fun exitOfRunner(context: Context, sinceMs: Long): NotedExit {
    if (Build.VERSION.SDK_INT < 30) return NotedExit(exitOf(null), null)
    val manager = context.getSystemService(ActivityManager::class.java)
    val noted = manager.getHistoricalProcessExitReasons(context.packageName, 0, MOST)
        .firstOrNull { it.processName == runnerProcess(context) && it.timestamp >= sinceMs }
    return NotedExit(exitOf(noted?.reason), noted?.description)
}

/** Whether the process that measures is there now. */
fun isRunnerAlive(context: Context): Boolean {
    val manager = context.getSystemService(ActivityManager::class.java)
    return manager.runningAppProcesses.orEmpty()
        .any { it.processName == runnerProcess(context) }
}

private const val MOST = 10
