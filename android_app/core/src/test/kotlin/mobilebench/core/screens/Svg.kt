package mobilebench.core.screens

import java.util.Locale

/** Return a drawing as SVG, at two pixels for one dp. */
fun svg(drawing: Drawing, palette: Palette): String = buildString {
    val box = "viewBox=\"0 0 ${number(drawing.width)} ${number(drawing.height)}\""
    append("<svg xmlns=\"http://www.w3.org/2000/svg\" $box ")
    append("width=\"${number(2 * drawing.width)}\" height=\"${number(2 * drawing.height)}\" ")
    append("font-family=\"Roboto, sans-serif\">\n")
    append("<rect width=\"100%\" height=\"100%\" fill=\"${hex(palette, Role.BACKGROUND)}\"/>\n")
    for (shape in drawing.shapes) append(element(shape, palette)).append('\n')
    append("</svg>\n")
}

private fun element(shape: Shape, palette: Palette): String {
    val colour = hex(palette, shape.role)
    return when (shape) {
        is Line -> {
            val points = shape.points.joinToString(" ") { "${number(it.x)},${number(it.y)}" }
            val dashes = if (shape.dashed) " stroke-dasharray=\"4 3\"" else ""
            "<polyline points=\"$points\" fill=\"none\" stroke=\"$colour\" " +
                "stroke-width=\"${number(shape.thickness)}\"$dashes/>"
        }
        is Rectangle ->
            "<rect x=\"${number(shape.left)}\" y=\"${number(shape.top)}\" " +
                "width=\"${number(shape.right - shape.left)}\" " +
                "height=\"${number(shape.bottom - shape.top)}\" fill=\"$colour\"/>"
        is Label ->
            "<text x=\"${number(shape.left)}\" y=\"${number(shape.baseline)}\" " +
                "font-size=\"${number(shape.size)}\" fill=\"$colour\">${escaped(shape.text)}</text>"
    }
}

private fun hex(palette: Palette, role: Role): String =
    String.format(Locale.ROOT, "#%06x", palette.of(role))

private fun number(value: Float): String = String.format(Locale.ROOT, "%.2f", value)

private fun escaped(text: String): String =
    text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
