package mobilebench.core.screens

import java.awt.BasicStroke
import java.awt.Color
import java.awt.Font
import java.awt.Graphics2D
import java.awt.RenderingHints
import java.awt.geom.Path2D
import java.awt.geom.Rectangle2D
import java.awt.image.BufferedImage
import java.io.File
import javax.imageio.ImageIO

/** Measures letters as this machine draws them. */
object FontRuler : Ruler {
    private val font = Font("Roboto", Font.PLAIN, 1)
    private val context = java.awt.font.FontRenderContext(null, true, true)

    override fun width(text: String, size: Float): Float =
        font.deriveFont(size).getStringBounds(text, context).width.toFloat()

    fun ofSize(size: Float): Font = font.deriveFont(size)
}

/** Draw a drawing as PNG, at [scale] pixels for one dp. */
fun png(drawing: Drawing, palette: Palette, file: File, scale: Double = 2.0) {
    val image = BufferedImage(
        (drawing.width * scale).toInt(), (drawing.height * scale).toInt(),
        BufferedImage.TYPE_INT_RGB,
    )
    val graphics = image.createGraphics()
    graphics.scale(scale, scale)
    graphics.setRenderingHint(
        RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON,
    )
    graphics.color = Color(palette.of(Role.BACKGROUND))
    graphics.fill(Rectangle2D.Float(0f, 0f, drawing.width, drawing.height))
    for (shape in drawing.shapes) draw(graphics, shape, palette)
    graphics.dispose()
    ImageIO.write(image, "png", file)
}

private fun draw(graphics: Graphics2D, shape: Shape, palette: Palette) {
    graphics.color = Color(palette.of(shape.role))
    when (shape) {
        is Line -> {
            val dashes = if (shape.dashed) floatArrayOf(4f, 3f) else null
            graphics.stroke = BasicStroke(
                shape.thickness, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1f, dashes, 0f,
            )
            val path = Path2D.Float()
            path.moveTo(shape.points[0].x, shape.points[0].y)
            shape.points.drop(1).forEach { path.lineTo(it.x, it.y) }
            graphics.draw(path)
        }
        is Rectangle -> graphics.fill(
            Rectangle2D.Float(
                shape.left, shape.top, shape.right - shape.left, shape.bottom - shape.top,
            ),
        )
        is Label -> {
            graphics.font = FontRuler.ofSize(shape.size)
            graphics.drawString(shape.text, shape.left, shape.baseline)
        }
    }
}

/** Write the pictures of every kind of run as SVG and PNG into the folder that is named. */
fun main(arguments: Array<String>) {
    val folder = File(arguments[0]).apply { mkdirs() }
    val runs = mapOf(
        "empty" to (emptyRun() to null), "one" to (oneSample() to S / 30),
        "long" to (longRun() to S / 30), "burst" to (burstRun() to null),
    )
    for ((name, given) in runs) {
        for ((width, layout) in listOf(360f to "portrait", 780f to "landscape")) {
            for (scale in listOf(1f, 2f)) {
                for ((palette, theme) in listOf(Palette.LIGHT to "light", Palette.DARK to "dark")) {
                    val (run, deadline) = given
                    val canvas = Canvas(width, 12 * scale, FontRuler, 2f)
                    val drawing = draw(runChart(run, deadline, Resources), canvas, Resources)
                    val file = "$name-$layout-text${scale.toInt()}-$theme"
                    File(folder, "$file.svg").writeText(svg(drawing, palette))
                    png(drawing, palette, File(folder, "$file.png"))
                }
            }
        }
    }
}
