package mobilebench.core.screens

import mobilebench.core.diagnoses.absences
import mobilebench.core.diagnoses.voidRounds
import mobilebench.core.documents.Failure
import mobilebench.core.documents.Headline
import mobilebench.core.documents.Job
import mobilebench.core.documents.Measurement
import mobilebench.core.documents.Stop
import mobilebench.core.jobs.HistoryEntry
import mobilebench.core.jobs.PastResult
import mobilebench.core.numbers.deadlines
import mobilebench.core.numbers.headlineNs
import mobilebench.core.numbers.latenciesNs
import mobilebench.core.numbers.summarise

/** Return the list of past results. */
fun historyList(entries: List<HistoryEntry>): ListScreen = ListScreen(
    title = Text.of(TextKey.HISTORY),
    empty = Text.of(TextKey.NO_RESULTS),
    rows = entries.map(::row),
    actions = listOf(Action(ActionKind.JOBS, Text.of(TextKey.JOBS))),
)

private fun row(entry: HistoryEntry): Row {
    val result = entry.result
        ?: return Row(entry.name, Verbatim(entry.name), emptyList(), problem(entry), null)
    val title = "${result.model} ${result.format.word} ${result.precision}"
    val open = Action(
        ActionKind.OPEN,
        Text.of(TextKey.OPEN),
        description = Text.of(TextKey.OPEN_RESULT, title),
    )
    val asked = result.job?.let { "${it.runtime}, ${it.computeUnit.word}, ${it.protocol.id}" }
    val details = listOfNotNull(headline(result), asked?.let(::Verbatim), created(result))
    return Row(entry.name, Verbatim(title), details, doubtInShort(result), open)
}

private fun problem(entry: HistoryEntry): Text = Verbatim(entry.problem.orEmpty())

private fun created(result: PastResult): Text =
    Text.of(TextKey.AT_UTC, result.created.take("2026-01-02T03:04".length).replace('T', ' '))

private fun doubtInShort(result: PastResult): Text? {
    val first = result.reasons.firstOrNull()
    return first?.takeIf { !result.valid }?.let { Text.of(TextKey.SUSPECT, diagnosisText(it)) }
}

/** The number that the protocol reports; a failure has its stage instead. */
private fun headline(result: PastResult): Text {
    val outcome = result.outcome as? Measurement
    val job = result.job
    if (outcome == null || job == null) {
        return Text.of(TextKey.FAILED_AT, (result.outcome as? Failure)?.stage?.word.orEmpty())
    }
    val value = headlineNs(job.protocol, outcome.samples)
    return when {
        value == null -> Text.of(TextKey.TOO_FEW_SAMPLES_FOR_A_NUMBER)
        job.protocol.indicative -> Text.of(TextKey.INDICATIVE, duration(value))
        else -> Text.of(job.protocol.headline.key, duration(value))
    }
}

private val Headline.key: TextKey
    get() = when (this) {
        Headline.MEDIAN -> TextKey.HEADLINE_MEDIAN
        Headline.P90 -> TextKey.HEADLINE_P90
        Headline.TRIMMED_MEAN -> TextKey.HEADLINE_TRIMMED_MEAN
    }

/** Return the page of a result. */
fun resultPage(result: PastResult): ResultScreen {
    val title = Verbatim("${result.model} ${result.format.word} ${result.precision}")
    val facts = about(result) + when (val outcome = result.outcome) {
        is Failure -> failed(outcome)
        is Measurement -> result.job?.let { measured(it, outcome) }.orEmpty()
    }
    val doubts = (result.outcome as? Measurement)?.let { doubts(it, result.reasons) }.orEmpty()
    return ResultScreen(
        title = title,
        headline = headline(result),
        facts = facts,
        doubts = doubts,
        chart = result.outcome is Measurement,
        actions = listOf(
            Action(ActionKind.SHARE, Text.of(TextKey.SHARE)),
            Action(ActionKind.SAVE, Text.of(TextKey.SAVE_RECORD)),
        ),
        shared = shared(title, headline(result), facts, doubts),
    )
}

/** Put the samples of a result together as its chart needs them. */
fun runOf(job: Job, outcome: Measurement): RunSoFar = RunSoFar(job.protocol).also { run ->
    run.add(outcome.samples)
    listOf(outcome.before).plus(outcome.states).plus(outcome.after).forEach(run::add)
    outcome.events.forEach(run::add)
}

/** What each frame has to keep: the aim of the policy, or the pace of the protocol. */
val Job.deadlineNs: Long? get() = policy.aim.deadlineNs ?: protocol.intervalNs

private fun about(result: PastResult): List<Fact> {
    val job = result.job
    return listOfNotNull(
        fact(TextKey.DEVICE, "${result.device}, ${result.os}"),
        job?.let { fact(TextKey.RUNTIME, it.runtime) },
        job?.let { fact(TextKey.COMPUTE_UNIT, it.computeUnit.word) },
        job?.let { fact(TextKey.THREADS, it.threads.toString()) },
        job?.let { fact(TextKey.PROTOCOL, it.protocol.id) },
        fact(TextKey.MEASURED_AT, created(result)),
    )
}

private fun failed(outcome: Failure): List<Fact> = listOfNotNull(
    fact(TextKey.STAGE, outcome.stage.word),
    fact(TextKey.ERROR, "${outcome.error}: ${outcome.message}"),
    outcome.advice?.let { fact(TextKey.WHAT_TO_DO, it) },
)

private fun measured(job: Job, outcome: Measurement): List<Fact> {
    val latencies = latenciesNs(outcome.samples)
    val numbers = latencies.takeIf { it.isNotEmpty() }?.let(::summarise)
    val frames = job.protocol.intervalNs?.let { deadlines(job.protocol, outcome.samples) }
    return listOfNotNull(
        numbers?.let { fact(TextKey.SAMPLES, it.count.toString()) },
        numbers?.let { fact(TextKey.MEDIAN, duration(it.p50Ns)) },
        numbers?.let { fact(TextKey.PERCENTILE_90, duration(it.p90Ns)) },
        numbers?.let { fact(TextKey.SHORTEST, duration(it.minNs)) },
        frames?.let {
            val some = Text.of(TextKey.SOME_OF_ALL, "${it.onTime}", "${it.frames}")
            fact(TextKey.FRAMES_ON_TIME, some)
        },
        fact(TextKey.FIRST_LOAD, duration(outcome.loads.firstNs)),
        fact(TextKey.MEMORY, size(outcome.memory.peakBytes)),
        fact(TextKey.EVIDENCE, outcome.runtime.computeUnitEvidence.word),
    ) + outcome.parity.map {
        val agreed = if (it.passed) TextKey.OUTPUTS_AGREE else TextKey.OUTPUTS_DIFFER
        Fact(Text.of(TextKey.OUTPUTS_ON, it.unit.word), Text.of(agreed))
    }
}

private fun doubts(outcome: Measurement, reasons: List<String>): List<Text> {
    val doubts = ArrayList<Text>()
    when (outcome.stopped) {
        Stop.TIME -> doubts.add(Text.of(TextKey.STOPPED_BY_TIME))
        Stop.HEAT -> doubts.add(Text.of(TextKey.STOPPED_BY_HEAT))
        Stop.BATTERY -> doubts.add(Text.of(TextKey.STOPPED_BY_BATTERY))
        null -> Unit
    }
    val void = voidRounds(outcome.samples, absences(outcome.events, outcome.scheduling))
    if (void.numbers.isNotEmpty()) {
        doubts.add(Text.of(TextKey.VOID_ROUNDS, "${void.numbers.size}", "${void.rounds}"))
    }
    val others = reasons.filter { it != STOPPED_EARLY || outcome.stopped == null }
    return doubts + others.map(::diagnosisText)
}

/** The diagnosis that the limit says more exactly. */
private const val STOPPED_EARLY = "stopped early"

private fun shared(title: Text, headline: Text, facts: List<Fact>, doubts: List<Text>): Text {
    val lines = listOf(title, headline) +
        facts.map { Text.of(TextKey.NAME_AND_VALUE, it.name, it.value) } + doubts +
        Text.of(TextKey.SHARED_BY)
    return Joined(lines, "\n")
}
