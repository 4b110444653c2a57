package mobilebench.core.jobs

import java.io.File

/** One job that a transport has for this device. */
data class Offer(val id: String, val title: String, val bytes: Long)

/**
 * Where jobs come from and results go to: a server, a shared folder.
 *
 * No transport is part of the app today: jobs come by cable or by the system's file picker. Every
 * call may take long and is made on a thread of its own. Each throws [TransportFailed].
 */
interface Transport {
    val name: String

    /** The jobs that wait for this device, the oldest first. */
    fun offers(): List<Offer>

    /** Write the folder of a job; it appears whole or not at all, see [importJob]. */
    fun fetch(offer: Offer, jobs: File): File

    /** Hand over the record of a job, byte for byte as it was written. */
    fun upload(record: File)
}

/** A transport could not be reached, or refused; the message is a sentence for people. */
class TransportFailed(message: String, cause: Throwable? = null) : Exception(message, cause)
