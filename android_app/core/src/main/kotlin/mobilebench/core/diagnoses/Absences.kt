package mobilebench.core.diagnoses

import mobilebench.core.documents.Event
import mobilebench.core.documents.EventKind
import mobilebench.core.documents.Phase
import mobilebench.core.documents.Samples
import mobilebench.core.documents.Scheduling

/** A time in which the app was not the one in front of a screen that is on. */
data class Absence(
    val fromNs: Long,
    /** Null where it lasts to the end. */
    val toNs: Long?,
)

/**
 * Return when the app was away, in the order of time, by the events and the scheduling of a record.
 *
 * An absence begins with an event of the background, of a screen that goes off, or of a call, or
 * where the system says that the app is not in front or the screen is off. It ends where events and
 * scheduling say that nothing of this lasts; a call ends when the app is in front again. Where no
 * event told of it, it began when the app was last known to be in front. A record with an absence
 * is `not in front`.
 */
fun absences(events: List<Event>, scheduling: List<Scheduling>): List<Absence> {
    val away = Away()
    val absences = ArrayList<Absence>()
    var fromNs = 0L
    var inFrontNs = 0L
    val changes = events.map { Change(it.tNs, it, null) } +
        scheduling.map { Change(it.tNs, null, it) }
    for (change in changes.sortedBy { it.tNs }) {
        val before = away.isAway
        change.event?.let { away.take(it.kind) }
        change.scheduling?.let { away.take(it) }
        if (away.isAway && !before) fromNs = if (change.event == null) inFrontNs else change.tNs
        if (before && !away.isAway) absences += Absence(fromNs, change.tNs)
        if (!away.isAway && change.tells) inFrontNs = change.tNs
    }
    if (away.isAway) absences += Absence(fromNs, null)
    return absences
}

private class Change(val tNs: Long, val event: Event?, val scheduling: Scheduling?) {
    /** Whether it tells that the app is in front, unless something else does not. */
    val tells: Boolean
        get() = scheduling?.foreground == true || event?.kind == EventKind.FOREGROUND
}

/** What keeps the app from being in front of a screen that is on. */
private class Away {
    private var isBehind = false
    private var isDark = false
    private var isInCall = false

    val isAway: Boolean get() = isBehind || isDark || isInCall

    fun take(kind: EventKind) {
        when (kind) {
            EventKind.BACKGROUND -> isBehind = true
            EventKind.FOREGROUND -> {
                isBehind = false
                isInCall = false
            }
            EventKind.SCREEN_OFF -> isDark = true
            EventKind.SCREEN_ON -> isDark = false
            EventKind.CALL -> isInCall = true
            else -> Unit
        }
    }

    /** What is not known changes nothing. */
    fun take(scheduling: Scheduling) {
        scheduling.foreground?.let { isBehind = !it }
        scheduling.screenOn?.let { isDark = !it }
    }
}

/** The rounds of a measurement, and those that are void: the app was away for a part of them. */
data class VoidRounds(
    /** The numbers of the void rounds, from 0. */
    val numbers: List<Int>,
    /** How many rounds have a measured sample. */
    val rounds: Int,
) {
    /** What to tell people; null where no round is void. */
    val sentence: String?
        get() {
            if (numbers.isEmpty()) return null
            val verb = if (numbers.size == 1) "is" else "are"
            val noun = if (rounds == 1) "round" else "rounds"
            return "${numbers.size} of $rounds $noun $verb void: the app was not in front, or " +
                "the screen was off."
        }
}

/**
 * Return which rounds are void: an absence overlaps with the time of their inferences.
 *
 * The warm-up counts too, since it sets the clocks that the round is measured at.
 */
fun voidRounds(samples: Samples, absences: List<Absence>): VoidRounds {
    val rounds = LinkedHashMap<Int, Span>()
    for (at in 0 until samples.size) {
        val span = rounds.getOrPut(samples.round[at]) { Span(samples.tNs[at]) }
        span.endNs = samples.tNs[at] + samples.latencyNs[at]
        if (samples.phase[at] == Phase.MEASURED) span.isMeasured = true
    }
    val measured = rounds.filterValues { it.isMeasured }
    val void = measured.filterValues { span -> absences.any { span.overlaps(it) } }
    return VoidRounds(void.keys.toList(), measured.size)
}

/** From the first inference of a round to the end of its last. */
private class Span(val beginNs: Long) {
    var endNs = beginNs
    var isMeasured = false

    fun overlaps(absence: Absence): Boolean {
        val toNs = absence.toNs
        return absence.fromNs <= endNs && (toNs == null || toNs >= beginNs)
    }
}
