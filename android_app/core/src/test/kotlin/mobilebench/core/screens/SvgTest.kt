package mobilebench.core.screens

import javax.xml.parsers.DocumentBuilderFactory
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

class SvgTest {
    private fun parsed(run: RunSoFar) = svg(
        draw(runChart(run, S / 30, Resources), Canvas(360f, 12f, RoughRuler), Resources),
        Palette.DARK,
    ).let {
        DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(it.byteInputStream())
    }

    @Test
    fun `every shape of a drawing is in its picture`() {
        for (run in listOf(emptyRun(), oneSample(), longRun(), burstRun())) {
            val canvas = Canvas(360f, 12f, RoughRuler)
            val shapes = draw(runChart(run, S / 30, Resources), canvas, Resources).shapes
            val picture = parsed(run).documentElement
            val count = { name: String -> picture.getElementsByTagName(name).length }
            assertEquals(shapes.count { it is Line }, count("polyline"))
            assertEquals(shapes.count { it is Label }, count("text"))
            // And the background.
            assertEquals(shapes.count { it is Rectangle } + 1, count("rect"))
        }
    }

    @Test
    fun `letters that XML takes for its own are escaped`() {
        val label = Label("a < b & c", 0f, 12f, 12f, 50f)
        val text = svg(Drawing(60f, 20f, listOf(label)), Palette.LIGHT)
        assertTrue(text, ">a &lt; b &amp; c<" in text)
    }
}
