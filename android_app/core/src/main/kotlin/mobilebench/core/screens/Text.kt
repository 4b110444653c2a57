package mobilebench.core.screens

import java.util.Locale

/** A text to show. The app finds the words of a key in its resources. */
sealed class Text {
    companion object {
        fun of(key: TextKey): Text = Keyed(key)

        /** A key, and what fills its places in order. */
        fun of(key: TextKey, vararg arguments: Text): Text = Keyed(key, arguments.toList())

        fun of(key: TextKey, vararg arguments: String): Text =
            Keyed(key, arguments.map { Verbatim(it) })
    }
}

/** The words of a key; its places are filled with [arguments]. */
data class Keyed(val key: TextKey, val arguments: List<Text> = emptyList()) : Text()

/** A text of others, such as a name or an error, as it is. */
data class Verbatim(val text: String) : Text()

/** Texts one after the other, with [between] between them. */
data class Joined(val texts: List<Text>, val between: String = ", ") : Text()

/** Returns the words of a key with its places filled. */
fun interface Words {
    fun of(key: TextKey, arguments: List<String>): String
}

/** Return a text in the words of a language. */
fun Words.say(text: Text): String = when (text) {
    is Keyed -> of(text.key, text.arguments.map { say(it) })
    is Verbatim -> visible(text.text)
    is Joined -> text.texts.joinToString(text.between) { say(it) }
}

/** The name of a key in the app's resources. */
val TextKey.resource: String get() = name.lowercase(Locale.ROOT)

/**
 * Return text of others on one screen without what would change how the rest is read: control
 * characters, and those that turn the direction of writing, are shown as their numbers.
 */
fun visible(text: String): String {
    if (text.all { it == '\n' || it.isPlain() }) return text
    return buildString {
        for (each in text) {
            if (each == '\n' || each.isPlain()) append(each)
            else append(String.format(Locale.ROOT, "\\u%04x", each.code))
        }
    }
}

private fun Char.isPlain(): Boolean =
    !isISOControl() && category != CharCategory.FORMAT && this !in '\u2028'..'\u2029'
