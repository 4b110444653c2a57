package mobilebench.core.sensors

import mobilebench.core.documents.Unreadable

/** A value of a sensor, or why there is none. */
sealed class Reading<out T> {
    /** The value; null where there is none. */
    val value: T? get() = (this as? Got)?.it
}

data class Got<T>(val it: T) : Reading<T>()

data class Missing(val why: Unreadable) : Reading<Nothing>() {
    companion object {
        val ABSENT = Missing(Unreadable.ABSENT)
        val DENIED = Missing(Unreadable.DENIED)
        val NOT_READY = Missing(Unreadable.NOT_READY)
    }
}

/** Return the reading with its value turned into another; null is one that is not there. */
inline fun <T, R> Reading<T>.map(change: (T) -> R?): Reading<R> = when (this) {
    is Got -> change(it)?.let { Got(it) } ?: Missing.ABSENT
    is Missing -> this
}
