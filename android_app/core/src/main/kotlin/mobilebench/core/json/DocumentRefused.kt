package mobilebench.core.json

/** A document that is not taken; the message is a sentence for people. */
open class DocumentRefused(message: String, cause: Throwable? = null) : Exception(message, cause)

/** A text that is not JSON, as one that was cut off. */
class NotJson(message: String, cause: Throwable? = null) : DocumentRefused(message, cause)
