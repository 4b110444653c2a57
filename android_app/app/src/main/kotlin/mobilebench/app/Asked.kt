package mobilebench.app

import android.content.Intent
import android.os.BadParcelableException

/** What an intent from outside asks for. Any app may send one. */
class Asked(val job: String, val key: String?, val wishes: RunWishes) {
    companion object {
        /** Return what an intent asks for; null where it names no job. */
        fun of(intent: Intent): Asked? = try {
            intent.getStringExtra("job")?.let { job ->
                Asked(
                    job,
                    intent.getStringExtra("key"),
                    RunWishes(
                        hintSession = intent.getBooleanExtra("hint_session", false),
                        sustainedPerformance = intent.getBooleanExtra("sustained", false),
                    ),
                )
            }
        } catch (_: BadParcelableException) {
            // It carries an object of a class that this app does not have.
            null
        }
    }
}
