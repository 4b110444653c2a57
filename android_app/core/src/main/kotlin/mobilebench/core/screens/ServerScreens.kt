package mobilebench.core.screens

import mobilebench.core.server.Doing
import mobilebench.core.server.Enrolment
import mobilebench.core.server.QueueEntry
import mobilebench.core.server.QueueState
import mobilebench.core.server.Status

/** The page of the work for a server. */
data class ServerScreen(
    val title: Text,
    val facts: List<Fact>,
    val advice: List<Text>,
    val problem: Text?,
    /** What a user types; null where nothing is. */
    val field: Text?,
    /** The jobs of the server, the newest first. */
    val rows: List<Row>,
    val actions: List<Action>,
)

/** Return the page of the work for a server; [enrolment] is null where there is none. */
fun serverPage(
    enrolment: Enrolment?,
    isOn: Boolean,
    status: Status,
    entries: List<QueueEntry>,
    notice: Text? = null,
): ServerScreen {
    val rows = entries.reversed().map(::row)
    val problem = notice ?: status.sentence?.let { Verbatim(it) }
    if (enrolment == null || status.doing == Doing.NOT_ENROLLED) {
        return ServerScreen(
            title = Text.of(TextKey.SERVER),
            facts = emptyList(),
            advice = listOf(Text.of(TextKey.ADVICE_ENROL)),
            problem = problem,
            field = Text.of(TextKey.SERVER_FIELD),
            rows = rows,
            actions = listOf(Action(ActionKind.ENROL, Text.of(TextKey.ENROL))),
        )
    }
    return ServerScreen(
        title = Text.of(TextKey.SERVER),
        facts = listOfNotNull(
            fact(TextKey.SERVER_ADDRESS, enrolment.server),
            fact(TextKey.SERVER_DEVICE, enrolment.device),
            fact(TextKey.SERVER_DOING, Text.of(status.doing.key)),
            status.waitMs?.let { fact(TextKey.SERVER_NEXT_TRY, duration(it * NS_IN_MS)) },
        ),
        advice = listOf(Text.of(TextKey.ADVICE_SERVER)),
        problem = problem,
        field = null,
        rows = rows,
        actions = actions(isOn, entries),
    )
}

private fun actions(isOn: Boolean, entries: List<QueueEntry>): List<Action> = listOfNotNull(
    if (isOn) Action(ActionKind.SWITCH_OFF, Text.of(TextKey.SWITCH_OFF))
    else Action(ActionKind.SWITCH_ON, Text.of(TextKey.SWITCH_ON)),
    Action(ActionKind.SEND_AGAIN, Text.of(TextKey.SEND_AGAIN))
        .takeIf { entries.any { it.state == QueueState.KEPT } },
    Action(ActionKind.LEAVE_SERVER, Text.of(TextKey.LEAVE_SERVER), enabled = !isOn),
)

private fun row(entry: QueueEntry) = Row(
    name = entry.folder,
    title = Verbatim(entry.folder),
    details = listOf(Text.of(entry.state.key)),
    problem = entry.sentence?.let { Verbatim(it) },
    action = null,
)

private val Doing.key: TextKey
    get() = when (this) {
        Doing.OFF -> TextKey.DOING_OFF
        Doing.ASKING -> TextKey.DOING_ASKING
        Doing.FETCHING -> TextKey.DOING_FETCHING
        Doing.WAITING -> TextKey.DOING_WAITING
        Doing.MEASURING -> TextKey.DOING_MEASURING
        Doing.SENDING -> TextKey.DOING_SENDING
        Doing.RETRYING -> TextKey.DOING_RETRYING
        Doing.NOT_ENROLLED -> TextKey.DOING_NOT_ENROLLED
    }

private val QueueState.key: TextKey
    get() = when (this) {
        QueueState.FETCHING -> TextKey.QUEUE_FETCHING
        QueueState.WAITING -> TextKey.QUEUE_WAITING
        QueueState.SENDING -> TextKey.QUEUE_SENDING
        QueueState.SENT -> TextKey.QUEUE_SENT
        QueueState.KEPT -> TextKey.QUEUE_KEPT
    }

private const val NS_IN_MS = 1_000_000L
