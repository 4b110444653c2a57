package mobilebench.app

import android.annotation.TargetApi
import android.app.ActivityManager
import android.content.Context
import android.os.Build
import mobilebench.core.sensors.Exit
import mobilebench.core.sensors.exitOf

/** How the system says that the measuring process ended. */
class NotedExit(val exit: Exit, val description: String?)

/**
 * Return how the process that measured ended, of the ends since a time; Android 11 notes them.
 *
 * The system may note an end some time after it, so this waits up to three seconds for it.
 */
fun exitOfRunner(context: Context, sinceMs: Long): NotedExit {
    if (Build.VERSION.SDK_INT < 30) return NotedExit(exitOf(null), null)
    repeat(TRIES) {
        noted(context, sinceMs)?.let { return it }
        Thread.sleep(BETWEEN_TRIES_MS)
    }
    return NotedExit(exitOf(null), null)
}

@TargetApi(30)
private fun noted(context: Context, sinceMs: Long): NotedExit? {
    val manager = context.getSystemService(ActivityManager::class.java)
    return manager.getHistoricalProcessExitReasons(context.packageName, 0, MOST)
        .firstOrNull { it.processName == runnerProcess(context) && it.timestamp >= sinceMs }
        ?.let { NotedExit(exitOf(it.reason, it.status), it.description) }
}

/** Whether the process that measures is there now. */
fun isRunnerAlive(context: Context): Boolean {
    val manager = context.getSystemService(ActivityManager::class.java)
    return manager.runningAppProcesses.orEmpty()
        .any { it.processName == runnerProcess(context) }
}

private const val MOST = 10
private const val TRIES = 15
private const val BETWEEN_TRIES_MS = 200L
