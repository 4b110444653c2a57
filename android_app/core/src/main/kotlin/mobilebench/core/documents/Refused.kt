package mobilebench.core.documents

/** What was asked for cannot be done here; the message is a sentence for people. */
class Refused(message: String) : Exception(message)
