package mobilebench.app

import android.app.Service
import android.content.Intent
import android.os.Binder
import android.os.IBinder

/**
 * Keeps the process of the screens alive while another one measures for a server.
 *
 * The page of the run is bound to it, so that the system takes both for the app in front. It does
 * nothing by itself.
 */
class ServerService : Service() {
    private val binder = Binder()

    override fun onBind(intent: Intent?): IBinder = binder
}
