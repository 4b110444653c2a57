package mobilebench.app

import android.content.Context
import mobilebench.core.screens.TextKey
import mobilebench.core.screens.Words
import mobilebench.core.screens.resource

/** Finds the words of a key among the app's string resources. */
class ResourceWords(private val context: Context) : Words {
    private val ids = IntArray(TextKey.values().size)

    override fun of(key: TextKey, arguments: List<String>): String {
        if (ids[key.ordinal] == 0) {
            ids[key.ordinal] =
                context.resources.getIdentifier(key.resource, "string", context.packageName)
        }
        return context.getString(ids[key.ordinal], *arguments.toTypedArray())
    }
}
