package mobilebench.core.json

/** A document that is not taken; the message is a sentence for people. */
class DocumentRefused(message: String, cause: Throwable? = null) : Exception(message, cause)
