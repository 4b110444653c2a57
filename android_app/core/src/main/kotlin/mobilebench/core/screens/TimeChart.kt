package mobilebench.core.screens

import kotlin.math.ceil
import kotlin.math.max
import kotlin.math.min

/** One line of a panel. */
class Curve(val series: Series, val role: Role)

/** A value that a panel marks across its whole width. */
class Mark(val value: Double, val label: String)

/** A span of time that a panel shades; its label is left out where the span is too short for it. */
class Band(val fromNs: Long, val toNs: Long, val role: Role, val label: String = "")

/** One quantity over time. */
class Panel(
    val title: String,
    val curves: List<Curve>,
    /** Height of the plot in dp where letters are small. */
    val height: Float,
    /** Stands in the panel where no curve has a value. */
    val empty: String,
    val mark: Mark? = null,
    val bands: List<Band> = emptyList(),
    /** The values that alone can come; null for numbers of any size. */
    val levels: List<Double>? = null,
)

/** Panels, one below the other, on one axis of time that begins at 0. */
class TimeChart(
    val panels: List<Panel>,
    val endNs: Long,
    /** Moments that a line through all panels marks. */
    val eventsNs: List<Long> = emptyList(),
)

/** How a drawing is to be made. */
class Canvas(
    val width: Float,
    /** Size of the letters in dp, with the user's own font size in it. */
    val textSize: Float,
    val ruler: Ruler,
    /** Pixels of the screen in one dp. */
    val density: Float = 1f,
)

private const val GAP = 4f
private const val LINE_HEIGHT = 1.3f
private const val MOST_TICKS = 6
private const val DOT = 2f
private const val LEAST_NS = 1_000_000_000L

/** Return the drawing of a chart. [words] gives the name of the axis of time. */
fun draw(chart: TimeChart, canvas: Canvas, words: Words): Drawing =
    ChartDrawing(chart, canvas, words).drawn()

private class ChartDrawing(
    private val chart: TimeChart,
    private val canvas: Canvas,
    private val words: Words,
) {
    private val size = canvas.textSize
    private val row = LINE_HEIGHT * size
    private val endNs = max(chart.endNs, LEAST_NS)
    private val heights = chart.panels.map { max(it.height, 3.6f * row) }
    private val axes = chart.panels.mapIndexed { index, panel -> axis(panel, heights[index]) }
    private val left = gutter()
    private val right = max(canvas.width - GAP, left + 1)
    private val shapes = ArrayList<Shape>()

    fun drawn(): Drawing {
        var top = GAP
        val plots = ArrayList<Pair<Float, Float>>()
        chart.panels.forEachIndexed { index, panel ->
            label(panel.title, GAP, top + size, canvas.width - 2 * GAP, Role.TEXT)
            val from = top + row + 0.65f * size
            val to = from + heights[index]
            draw(panel, axes[index], from, to)
            plots.add(from to to)
            top = to + row / 2 + GAP
        }
        events(plots)
        val bottom = time(plots)
        return Drawing(canvas.width, bottom + GAP, shapes)
    }

    private fun axis(panel: Panel, height: Float): Axis? {
        val extents = panel.curves.mapNotNull { it.series.extent() }
        if (extents.isEmpty()) return null
        val most = max(2, min(MOST_TICKS, (height / (1.2f * row)).toInt() + 1))
        val levels = panel.levels?.distinct()
        if (levels != null && levels.size <= most) return axisOf(levels)
        val low = min(extents.minOf { it.first }, panel.mark?.value ?: Double.POSITIVE_INFINITY)
        val high = max(extents.maxOf { it.second }, panel.mark?.value ?: Double.NEGATIVE_INFINITY)
        return axisOver(low, high, most)
    }

    /** Return where plots begin: right of the widest label, unless it takes half the width. */
    private fun gutter(): Float {
        val labels = axes.filterNotNull().flatMap { it.ticks }.map { it.label }
        val widest = labels.maxOfOrNull { canvas.ruler.width(it, size) } ?: 0f
        return if (widest > canvas.width / 2) GAP else GAP + widest + GAP
    }

    private fun draw(panel: Panel, axis: Axis?, top: Float, bottom: Float) {
        for (band in panel.bands) {
            val from = max(x(band.fromNs), left)
            val to = min(x(band.toNs), right)
            if (to <= from) continue
            shapes.add(Rectangle(from, top, to, bottom, band.role))
            val fits = canvas.ruler.width(band.label, size) <= to - from - 2 * GAP
            if (fits) label(band.label, from + GAP, top + row, to - from, Role.FAINT_TEXT)
        }
        if (axis == null) {
            shapes.add(Line(listOf(Point(left, bottom), Point(right, bottom)), Role.GRID))
            val middle = (top + bottom) / 2 + size / 3
            label(panel.empty, left + GAP, middle, right - left - 2 * GAP, Role.FAINT_TEXT)
            return
        }
        val y = { value: Double -> bottom - (axis.share(value) * (bottom - top)).toFloat() }
        ticks(axis, y)
        if (panel.mark != null) mark(panel.mark, y, top, bottom)
        for (curve in panel.curves) draw(curve, panel.levels != null, y)
    }

    private fun ticks(axis: Axis, y: (Double) -> Float) {
        var above = Float.POSITIVE_INFINITY
        for (tick in axis.ticks) {
            val at = y(tick.value)
            shapes.add(Line(listOf(Point(left, at), Point(right, at)), Role.GRID, 0.5f))
            val width = canvas.ruler.width(tick.label, size)
            val label = Label(tick.label, left - GAP - width, at + size / 3, size, width,
                Role.FAINT_TEXT)
            if (label.left >= 0 && label.bottom <= above) {
                shapes.add(label)
                above = label.top
            }
        }
    }

    private fun mark(mark: Mark, y: (Double) -> Float, top: Float, bottom: Float) {
        val at = y(mark.value)
        shapes.add(Line(listOf(Point(left, at), Point(right, at)), Role.LIMIT, 1f, dashed = true))
        val above = at - GAP / 2 - Label.DESCENT * size
        val baseline = if (above - Label.ASCENT * size >= top) above else at + GAP / 2 + size
        if (baseline + Label.DESCENT * size <= bottom) {
            label(mark.label, left + GAP, baseline, right - left - 2 * GAP, Role.LIMIT)
        }
    }

    private fun draw(curve: Curve, steps: Boolean, y: (Double) -> Float) {
        val series = if (steps) stepped(curve.series, endNs) else curve.series
        val columns = max(1, ceil((right - left) * canvas.density).toInt())
        for (dots in thinned(series, endNs, columns)) {
            val points = dots.map { Point(min(x(it.tNs), right), y(it.value)) }
            if (points.size > 1) {
                shapes.add(Line(points, curve.role, if (steps) 2f else 1f))
            } else {
                val (x, at) = points[0]
                val from = min(max(x - DOT, left), right - 2 * DOT)
                shapes.add(Rectangle(from, at - DOT, from + 2 * DOT, at + DOT, curve.role))
            }
        }
    }

    private fun events(plots: List<Pair<Float, Float>>) {
        for (tNs in chart.eventsNs) {
            val at = min(x(tNs), right)
            for ((top, bottom) in plots) {
                val line = listOf(Point(at, top), Point(at, bottom))
                shapes.add(Line(line, Role.EVENT, 1.5f, dashed = true))
            }
        }
    }

    /** Draw the axis of time below the last panel; return where it ends. */
    private fun time(plots: List<Pair<Float, Float>>): Float {
        val bottom = plots.lastOrNull()?.second ?: GAP
        val axis = timeAxis(endNs) { ticks, unitNs -> labels(ticks, 0f, unitNs).areApart() }
        val baseline = bottom + GAP + row
        shapes.addAll(labels(axis.ticks, baseline, axis.unitNs))
        for (tick in axis.ticks) {
            val at = x((tick.value * axis.unitNs).toLong())
            shapes.add(Line(listOf(Point(at, bottom), Point(at, bottom + GAP)), Role.GRID))
        }
        val name = words.of(axis.unit, emptyList())
        label(name, left, baseline + row, right - left, Role.FAINT_TEXT)
        return baseline + row + Label.DESCENT * size
    }

    private fun labels(ticks: List<Tick>, baseline: Float, unitNs: Double): List<Label> =
        ticks.map { tick ->
            val width = canvas.ruler.width(tick.label, size)
            val middle = x((tick.value * unitNs).toLong()) - width / 2
            val from = max(0f, min(middle, canvas.width - width))
            Label(tick.label, from, baseline, size, width, Role.FAINT_TEXT)
        }

    private fun List<Label>.areApart(): Boolean =
        zipWithNext().all { (one, next) -> one.right + size <= next.left }

    private fun x(tNs: Long): Float =
        left + ((right - left) * (tNs.toDouble() / endNs)).toFloat()

    private fun label(text: String, from: Float, baseline: Float, most: Float, role: Role) {
        val shown = canvas.ruler.shorten(text, size, most)
        if (shown.isEmpty()) return
        val width = canvas.ruler.width(shown, size)
        shapes.add(Label(shown, from, baseline, size, width, role))
    }
}

/** Return a bar that is filled from the left by a share of its width, 0 to 1. */
fun progressBar(share: Double, width: Float, height: Float): Drawing {
    val filled = (width * share.coerceIn(0.0, 1.0)).toFloat()
    val bar = Rectangle(0f, 0f, width, height, Role.TRACK)
    val part = Rectangle(0f, 0f, filled, height, Role.PROGRESS)
    return Drawing(width, height, listOf(bar, part))
}
