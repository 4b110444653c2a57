package mobilebench.core.screens

import mobilebench.core.documents.Job
import mobilebench.core.jobs.JobEntry
import mobilebench.core.jobs.JobState
import mobilebench.core.jobs.longestNs

private val IMPORTS = listOf(
    Action(ActionKind.IMPORT_FOLDER, Text.of(TextKey.IMPORT_FOLDER)),
    Action(ActionKind.IMPORT_ZIP, Text.of(TextKey.IMPORT_ZIP)),
)

/** Return the list of jobs. While one runs, no other can be started. */
fun jobList(entries: List<JobEntry>, running: Boolean, notice: Text? = null): ListScreen =
    ListScreen(
        title = Text.of(TextKey.JOBS),
        empty = Text.of(TextKey.NO_JOBS),
        rows = entries.map { row(it) },
        actions = IMPORTS.map { it.copy(enabled = !running) } +
            Action(ActionKind.HISTORY, Text.of(TextKey.HISTORY)) +
            Action(ActionKind.SERVER, Text.of(TextKey.SERVER)),
        notice = notice ?: Text.of(TextKey.RUN_ELSEWHERE).takeIf { running },
    )

private fun row(entry: JobEntry): Row {
    val job = entry.job
    val details = ArrayList<Text>()
    if (job != null) {
        details.add(Verbatim("${job.runtime}, ${job.computeUnit.word}, ${job.protocol.id}"))
        details.add(Text.of(TextKey.UP_TO, duration(job.longestNs)))
    }
    details.add(Verbatim(size(entry.bytes)))
    details.add(Text.of(entry.state.key))
    val open = Action(
        ActionKind.OPEN,
        Text.of(TextKey.OPEN),
        description = Text.of(TextKey.OPEN_JOB, entry.name),
    )
    return Row(entry.name, Verbatim(entry.name), details, entry.problem?.let(::Verbatim), open)
}

private val JobState.key: TextKey
    get() = when (this) {
        JobState.READY -> TextKey.STATE_READY
        JobState.CUT_OFF -> TextKey.STATE_CUT_OFF
        JobState.DONE -> TextKey.STATE_DONE
        JobState.FAULTY -> TextKey.STATE_FAULTY
    }

/** Return the page of a job before it runs. */
fun jobPage(entry: JobEntry, running: Boolean, notice: Text? = null): JobScreen {
    val job = entry.job
    val runnable = entry.state == JobState.READY || entry.state == JobState.CUT_OFF
    val run = if (entry.state == JobState.CUT_OFF) {
        Action(ActionKind.GO_ON, Text.of(TextKey.GO_ON), runnable && !running)
    } else {
        Action(ActionKind.RUN, Text.of(TextKey.RUN), runnable && !running)
    }
    val result = Action(ActionKind.OPEN, Text.of(TextKey.SHOW_RESULT))
    return JobScreen(
        title = Verbatim(entry.name),
        facts = facts(entry),
        advice = if (job != null && runnable) advice(job) else emptyList(),
        problem = notice ?: entry.problem?.let(::Verbatim)
            ?: Text.of(TextKey.RUN_ELSEWHERE).takeIf { running },
        actions = listOf(run) + listOfNotNull(result.takeIf { entry.state == JobState.DONE }),
    )
}

private fun facts(entry: JobEntry): List<Fact> {
    val job = entry.job ?: return listOf(fact(TextKey.SIZE, size(entry.bytes)))
    return listOfNotNull(
        fact(TextKey.MODEL_FILE, job.modelFile),
        fact(TextKey.RUNTIME, job.runtime),
        fact(TextKey.COMPUTE_UNIT, job.computeUnit.word),
        fact(TextKey.THREADS, job.threads.toString()),
        fact(TextKey.PROTOCOL, job.protocol.id),
        fact(TextKey.LONGEST, duration(job.longestNs)),
        job.variants.takeIf { it.size > 1 }?.let { variants ->
            fact(TextKey.WIDTHS, variants.joinToString(", ") { plain(it.width) })
        },
        fact(TextKey.SIZE, size(entry.bytes)),
    )
}

/** What a user does so that the result counts. */
private fun advice(job: Job): List<Text> = listOfNotNull(
    Text.of(TextKey.ADVICE_FRONT),
    Text.of(TextKey.ADVICE_UNLOCKED),
    Text.of(TextKey.ADVICE_COOL).takeIf { job.protocol.gate != null },
    Text.of(TextKey.ADVICE_STILL).takeIf { !job.protocol.drawsWhileMeasuring },
)

internal fun fact(name: TextKey, value: String) = Fact(Text.of(name), Verbatim(value))

internal fun fact(name: TextKey, value: Text) = Fact(Text.of(name), value)
