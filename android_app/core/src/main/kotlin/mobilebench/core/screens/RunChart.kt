package mobilebench.core.screens

import mobilebench.core.documents.EventKind

private const val TALL = 140f
private const val LOW = 64f

private val MARKED = setOf(
    EventKind.BACKGROUND, EventKind.SCREEN_OFF, EventKind.CALL, EventKind.MEMORY_WARNING,
    EventKind.CHARGER_CONNECTED, EventKind.CHARGER_REMOVED, EventKind.CLOCK_CAP, EventKind.RESUMED,
)

/**
 * Return latency, temperature and width of a run on one axis of time.
 *
 * [deadlineNs] is what each frame has to keep, where it has to. The panel of widths is left out
 * where the run has one network alone.
 */
fun runChart(run: RunSoFar, deadlineNs: Long?, words: Words): TimeChart {
    val say = { key: TextKey -> words.of(key, emptyList()) }
    val latency = Panel(
        title = say(TextKey.CHART_LATENCY),
        curves = listOf(
            Curve(run.latencyOfWarmUp, Role.WARM_UP),
            Curve(run.latency, Role.LATENCY),
        ),
        height = TALL,
        empty = say(TextKey.CHART_NO_SAMPLES),
        mark = deadlineNs?.let { Mark(it / 1e6, say(TextKey.CHART_DEADLINE)) },
    )
    val temperature = Panel(
        title = say(TextKey.CHART_TEMPERATURE),
        curves = listOf(Curve(run.temperatureC, Role.TEMPERATURE)),
        height = LOW,
        empty = say(TextKey.CHART_NO_TEMPERATURE),
        bands = run.thermalBands { say(it.key) },
    )
    val width = Panel(
        title = say(TextKey.CHART_WIDTH),
        curves = listOf(Curve(run.width, Role.WIDTH)),
        height = LOW,
        empty = say(TextKey.CHART_NO_SAMPLES),
        levels = run.width.levels(),
    )
    val panels = listOfNotNull(latency, temperature, width.takeIf { run.width.size > 0 })
    val events = run.events.filter { it.kind in MARKED && it.tNs <= run.endNs }.map { it.tNs }
    return TimeChart(panels, run.endNs, events)
}

/** Say what a chart shows, for people who hear it. */
fun describe(run: RunSoFar): Text {
    val parts = ArrayList<Text>()
    val percentiles = run.percentiles()
    if (percentiles == null) {
        parts.add(Text.of(TextKey.CHART_NO_SAMPLES))
    } else {
        val (low, high) = run.latency.extent() ?: (0.0 to 0.0)
        parts.add(
            Text.of(
                TextKey.HEARD_LATENCY, "${run.samples}", duration(low * 1e6),
                duration(high * 1e6), duration(percentiles.first),
            ),
        )
    }
    val temperature = run.temperatureC.extent()
    parts.add(
        if (temperature == null) Text.of(TextKey.HEARD_NO_TEMPERATURE)
        else Text.of(
            TextKey.HEARD_TEMPERATURE, celsius(temperature.first), celsius(temperature.second),
        ),
    )
    run.states.mapNotNull { it.thermal }.maxOrNull()?.let {
        parts.add(Text.of(TextKey.HEARD_THERMAL, Text.of(it.key)))
    }
    run.width.extent()?.let {
        parts.add(Text.of(TextKey.HEARD_WIDTH, plain(it.first), plain(it.second)))
    }
    return Joined(parts, " ")
}
