package mobilebench.app

import android.content.BroadcastReceiver
import android.content.ComponentCallbacks2
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.content.res.Configuration
import android.media.AudioManager
import android.os.Build
import mobilebench.core.documents.EventKind
import mobilebench.core.engine.EventLog
import mobilebench.core.sensors.isCall
import mobilebench.core.sensors.isMemoryShort

/** Tells the log of a run what happens to the device. */
class Watch(private val context: Context, private val events: EventLog) {
    private val audio = context.getSystemService(AudioManager::class.java)
    private var modes: AudioManager.OnModeChangedListener? = null

    private val broadcasts = object : BroadcastReceiver() {
        override fun onReceive(context: Context, intent: Intent) {
            KINDS[intent.action]?.let { events.add(it) }
        }
    }

    private val memory = object : ComponentCallbacks2 {
        override fun onTrimMemory(level: Int) {
            if (isMemoryShort(level)) events.add(EventKind.MEMORY_WARNING)
        }

        @Deprecated("Android calls it before level 14 alone, and it must be there")
        override fun onLowMemory() = Unit

        override fun onConfigurationChanged(configuration: Configuration) = Unit
    }

    /** Whether a call rings or is under way. */
    val isInCall: Boolean get() = isCall(audio.mode)

    fun begin() {
        val filter = IntentFilter()
        KINDS.keys.forEach(filter::addAction)
        // Only the system may send these.
        context.registerReceiver(broadcasts, filter)
        context.registerComponentCallbacks(memory)
        if (isInCall) events.add(EventKind.CALL)
        if (Build.VERSION.SDK_INT >= 31) {
            val listener = AudioManager.OnModeChangedListener { mode ->
                if (isCall(mode)) events.add(EventKind.CALL)
            }
            audio.addOnModeChangedListener(context.mainExecutor, listener)
            modes = listener
        }
    }

    fun end() {
        context.unregisterReceiver(broadcasts)
        context.unregisterComponentCallbacks(memory)
        if (Build.VERSION.SDK_INT >= 31) modes?.let(audio::removeOnModeChangedListener)
    }

    private companion object {
        val KINDS = mapOf(
            Intent.ACTION_SCREEN_OFF to EventKind.SCREEN_OFF,
            Intent.ACTION_SCREEN_ON to EventKind.SCREEN_ON,
            Intent.ACTION_POWER_CONNECTED to EventKind.CHARGER_CONNECTED,
            Intent.ACTION_POWER_DISCONNECTED to EventKind.CHARGER_REMOVED,
        )
    }
}
