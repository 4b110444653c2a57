package mobilebench.core.jobs

import java.io.File

/** One job that a place has for this device. */
data class Offer(val id: String, val title: String, val bytes: Long)

/**
 * Where jobs come from and results go to: a server, a shared folder.
 *
 * No place is part of the app today: jobs come by cable or by the system's file picker. Every call
 * may take long and is made on a thread of its own. Each throws [PlaceFailed].
 */
interface Place {
    val name: String

    /** The jobs that wait for this device, the oldest first. */
    fun offers(): List<Offer>

    /** Write the folder of a job; it appears whole or not at all, see [importJob]. */
    fun fetch(offer: Offer, jobs: File): File

    /** Hand over the record of a job, byte for byte as it was written. */
    fun upload(record: File)
}

/** A place could not be reached, or refused; the message is a sentence for people. */
class PlaceFailed(message: String, cause: Throwable? = null) : Exception(message, cause)
