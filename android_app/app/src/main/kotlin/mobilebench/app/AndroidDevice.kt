package mobilebench.app

import android.app.ActivityManager
import android.content.Context
import android.content.pm.ApplicationInfo
import android.content.pm.PackageManager
import android.os.Build
import android.os.SystemClock
import java.io.File
import java.util.UUID
import mobilebench.core.documents.Application
import mobilebench.core.documents.Device
import mobilebench.core.documents.DeviceKind
import mobilebench.core.sensors.CpuFiles
import mobilebench.core.documents.Build as HowBuilt

private const val TABLET_DP = 600
private const val GAME_SERVICE = "com.samsung.android.game.gos"

/** Describe this device. */
fun describeDevice(context: Context, cpu: CpuFiles): Device {
    val memory = ActivityManager.MemoryInfo()
    context.getSystemService(ActivityManager::class.java).getMemoryInfo(memory)
    return Device(
        id = "android-${installId(context)}",
        kind = kindOfDevice(context),
        model = listOf(Build.MANUFACTURER, Build.MODEL).joinToString(" "),
        soc = socName(),
        os = "Android",
        osVersion = Build.VERSION.RELEASE,
        osBuild = Build.FINGERPRINT,
        ramBytes = memory.totalMem,
        cores = cpu.cores ?: Runtime.getRuntime().availableProcessors(),
        clusters = cpu.kinds(),
        bootAgeNs = SystemClock.elapsedRealtimeNanos(),
    )
}

/** Describe this app. */
@Suppress("DEPRECATION") // The other call is there from Android 13 on.
fun describeApp(context: Context): Application {
    val info = context.packageManager.getPackageInfo(context.packageName, 0)
    val flags = context.applicationInfo.flags
    val debug = flags and ApplicationInfo.FLAG_DEBUGGABLE != 0
    val build = if (debug) HowBuilt.DEBUG else HowBuilt.RELEASE
    return Application("mobilebench for Android", info.versionName ?: "unknown", build)
}

/** Whether Samsung's service is there that slows down what it takes for games. */
@Suppress("DEPRECATION") // For the same reason.
fun hasGameService(context: Context): Boolean = try {
    context.packageManager.getPackageInfo(GAME_SERVICE, 0)
    true
} catch (_: PackageManager.NameNotFoundException) {
    false
}

private fun kindOfDevice(context: Context): DeviceKind = when {
    // An emulator's numbers are those of the computer that it runs on.
    Build.HARDWARE in setOf("goldfish", "ranchu") -> DeviceKind.SIMULATED
    context.resources.configuration.smallestScreenWidthDp >= TABLET_DP -> DeviceKind.TABLET
    else -> DeviceKind.PHONE
}

private fun socName(): String? {
    if (Build.VERSION.SDK_INT < 31) return null
    val names = listOf(Build.SOC_MANUFACTURER, Build.SOC_MODEL)
    return names.filter { it != Build.UNKNOWN }.joinToString(" ").ifEmpty { null }
}

/** Return what tells this installation from others; it says nothing of the device or the user. */
private fun installId(context: Context): String {
    val file = File(context.filesDir, "install-id")
    if (!file.isFile) file.writeText(UUID.randomUUID().toString().take(13))
    return file.readText()
}
