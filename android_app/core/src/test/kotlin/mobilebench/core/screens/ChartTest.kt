package mobilebench.core.screens

import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.ThermalState
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

class ChartTest {
    private val widths = listOf(1f, 60f, 200f, 320f, 411f, 780f, 1280f)
    private val sizes = listOf(10f, 12f, 24f, 31.2f)

    private fun each(check: (String, Drawing, Canvas) -> kotlin.Unit) {
        for ((name, run) in runs) for (deadline in listOf(null, S / 30)) {
            val chart = runChart(run, deadline, Resources)
            for (width in widths) for (size in sizes) {
                val canvas = Canvas(width, size, RoughRuler, 2f)
                check("$name, $width dp, text of $size", draw(chart, canvas, Resources), canvas)
            }
        }
    }

    @Test
    fun `texts never overlap`() = each { what, drawing, _ ->
        val labels = drawing.shapes.filterIsInstance<Label>()
        for ((index, one) in labels.withIndex()) for (other in labels.drop(index + 1)) {
            val apart = one.right <= other.left || other.right <= one.left ||
                one.bottom <= other.top || other.bottom <= one.top
            assertTrue("$what: ${one.text} and ${other.text}", apart)
        }
    }

    @Test
    fun `everything is inside the drawing`() = each { what, drawing, canvas ->
        // Below 60 dp there is no room for a plot; the axes then end at the border.
        if (canvas.width >= 60f) {
            for (shape in drawing.shapes) {
                val (low, high) = corners(shape)
                val inside = low.x >= 0 && low.y >= 0 && high.x <= drawing.width &&
                    high.y <= drawing.height
                assertTrue("$what: $shape", inside)
            }
        }
    }

    @Test
    fun `no number is lost on the way to a place`() = each { what, drawing, _ ->
        for (shape in drawing.shapes) {
            val (low, high) = corners(shape)
            val finite = listOf(low.x, low.y, high.x, high.y).all { it.isFinite() }
            assertTrue("$what: $shape", finite)
        }
    }

    @Test
    fun `a line has no more points than pixels can show`() {
        val canvas = Canvas(400f, 12f, RoughRuler, 2f)
        val drawing = draw(runChart(longRun(), null, Resources), canvas, Resources)
        val most = drawing.shapes.filterIsInstance<Line>().maxOf { it.points.size }
        assertTrue("$most points", most in 1000..4 * 800)
    }

    @Test
    fun `a gap in the temperature is a gap in its line`() {
        val drawing = draw(
            runChart(longRun(), null, Resources), Canvas(400f, 12f, RoughRuler), Resources,
        )
        val lines = drawing.shapes.filter { it is Line && it.role == Role.TEMPERATURE }
        assertEquals(2, lines.size)
    }

    @Test
    fun `no line joins two rounds`() {
        val drawing = draw(
            runChart(burstRun(), null, Resources), Canvas(400f, 12f, RoughRuler, 4f), Resources,
        )
        val lines = drawing.shapes.filterIsInstance<Line>()
        assertEquals(5, lines.count { it.role == Role.LATENCY })
        assertEquals(5, lines.count { it.role == Role.WARM_UP })
    }

    @Test
    fun `a single sample is a dot`() {
        val drawing = draw(
            runChart(oneSample(), null, Resources), Canvas(400f, 12f, RoughRuler), Resources,
        )
        assertEquals(1, drawing.shapes.count { it is Rectangle && it.role == Role.LATENCY })
    }

    @Test
    fun `what is not known is said in its panel`() {
        val drawing = draw(
            runChart(burstRun(), null, Resources), Canvas(400f, 12f, RoughRuler), Resources,
        )
        val texts = drawing.shapes.filterIsInstance<Label>().map { it.text }
        assertTrue(Resources.of(TextKey.CHART_NO_TEMPERATURE, emptyList()) in texts)
    }

    @Test
    fun `one network has no panel of widths`() {
        assertEquals(2, runChart(burstRun(), null, Resources).panels.size)
        assertEquals(3, runChart(longRun(), null, Resources).panels.size)
    }

    @Test
    fun `thermal states shade the time that they lasted`() {
        val bands = longRun().thermalBands { it.word }
        assertEquals(listOf("fair", "serious"), bands.map { it.label })
        assertEquals(500 * S to 1100 * S, bands[0].fromNs to bands[0].toNs)
    }

    @Test
    fun `a state that is not known shades nothing`() {
        val run = RunSoFar(PACED)
        run.add(DeviceState(0))
        run.add(DeviceState(S, ThermalState.NOMINAL))
        assertEquals(emptyList<Band>(), run.thermalBands { it.word })
    }

    @Test
    fun `a progress bar is never wider than its track`() {
        for (share in listOf(-1.0, 0.0, 0.5, 1.0, 7.0)) {
            val (track, part) = progressBar(share, 100f, 8f).shapes.map { it as Rectangle }
            assertTrue(part.right in 0f..track.right)
        }
    }

    private fun corners(shape: Shape): Pair<Point, Point> = when (shape) {
        is Line -> Point(shape.points.minOf { it.x }, shape.points.minOf { it.y }) to
            Point(shape.points.maxOf { it.x }, shape.points.maxOf { it.y })
        is Rectangle -> Point(shape.left, shape.top) to Point(shape.right, shape.bottom)
        is Label -> Point(shape.left, shape.top) to Point(shape.right, shape.bottom)
    }

    private companion object {
        val runs = mapOf(
            "empty" to emptyRun(), "one sample" to oneSample(), "long" to longRun(),
            "burst" to burstRun(),
        )
    }
}
