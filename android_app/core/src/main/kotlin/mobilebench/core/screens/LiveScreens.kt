package mobilebench.core.screens

import mobilebench.core.documents.EventKind
import mobilebench.core.documents.Protocol
import mobilebench.core.documents.ThermalState
import mobilebench.core.running.RunStage

/** How a run came to its end. */
data class RunEnd(
    /** Why there is no measurement; null where there is one. */
    val failure: Text? = null,
    /** True where the user ended it. */
    val stopped: Boolean = false,
)

/** Whether the page of a run may change while it measures: drawing takes time from the model. */
val Protocol.drawsWhileMeasuring: Boolean get() = senseNs != null

/**
 * Return the page of a run.
 *
 * Where the protocol reads no sensors between inferences, the page shows what was asked for and
 * stands still from the first inference to the end, because drawing takes time from the model.
 */
fun livePage(
    title: Text,
    run: RunSoFar,
    stage: RunStage,
    stopping: Boolean = false,
    end: RunEnd? = null,
): LiveScreen {
    val still = stage == RunStage.MEASURING && !run.protocol.drawsWhileMeasuring
    val over = stage == RunStage.ENDED || stage == RunStage.FAILED
    return LiveScreen(
        title = title,
        status = status(run, stage, stopping, end),
        facts = if (still) emptyList() else facts(run),
        share = if (still) null else if (stage == RunStage.ENDED) 1.0 else run.share(),
        chart = !still && (over || run.protocol.drawsWhileMeasuring),
        warning = warning(run),
        actions = listOf(
            if (over) Action(ActionKind.OPEN, Text.of(TextKey.SHOW_RESULT))
            else Action(ActionKind.STOP, Text.of(TextKey.STOP), !stopping),
        ),
    )
}

private fun status(run: RunSoFar, stage: RunStage, stopping: Boolean, end: RunEnd?): Text = when {
    stage == RunStage.FAILED -> Text.of(TextKey.RUN_FAILED, end?.failure ?: Verbatim(""))
    stage == RunStage.ENDED && end?.stopped == true -> Text.of(TextKey.RUN_STOPPED)
    stage == RunStage.ENDED -> Text.of(TextKey.RUN_ENDED)
    stopping -> Text.of(TextKey.RUN_STOPPING)
    stage == RunStage.CHECKING_FILES -> Text.of(TextKey.RUN_CHECKING_FILES)
    stage == RunStage.CHECKING_OUTPUTS -> Text.of(TextKey.RUN_CHECKING_OUTPUTS)
    !run.protocol.drawsWhileMeasuring -> Text.of(TextKey.RUN_STILL)
    else -> Text.of(TextKey.RUN_ROUND, "${run.round + 1}", "${run.protocol.rounds}")
}

private fun facts(run: RunSoFar): List<Fact> {
    val last = run.states.lastOrNull()
    return listOfNotNull(
        run.lastLatencyNs?.let { fact(TextKey.LAST_LATENCY, duration(it)) },
        run.samples.takeIf { it > 0 }?.let { fact(TextKey.SAMPLES, it.toString()) },
        last?.let(::shown)?.let { fact(TextKey.TEMPERATURE, celsius(it)) },
        last?.let { fact(TextKey.THERMAL_STATE, Text.of(it.thermal.key)) },
        run.width.takeIf { it.size > 0 }?.let {
            fact(TextKey.WIDTH, plain(it.values[it.size - 1]))
        },
    )
}

private fun warning(run: RunSoFar): Text? {
    val kinds = run.events.map { it.kind }
    return when {
        EventKind.CALL in kinds -> Text.of(TextKey.WARNING_CALL)
        EventKind.SCREEN_OFF in kinds -> Text.of(TextKey.WARNING_SCREEN_OFF)
        EventKind.BACKGROUND in kinds -> Text.of(TextKey.WARNING_BACKGROUND)
        else -> null
    }
}

internal val ThermalState?.key: TextKey
    get() = when (this) {
        ThermalState.NOMINAL -> TextKey.THERMAL_NOMINAL
        ThermalState.FAIR -> TextKey.THERMAL_FAIR
        ThermalState.SERIOUS -> TextKey.THERMAL_SERIOUS
        ThermalState.CRITICAL -> TextKey.THERMAL_CRITICAL
        null -> TextKey.NOT_KNOWN
    }
