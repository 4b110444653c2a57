package mobilebench.core.screens

/** What a shape stands for; a palette gives it its colour. */
enum class Role {
    BACKGROUND, TEXT, FAINT_TEXT, GRID, LATENCY, WARM_UP, LIMIT, TEMPERATURE, WIDTH, EVENT,
    FAIR, SERIOUS, CRITICAL, TRACK, PROGRESS,
}

/** A place in a drawing, in dp from its left upper corner. */
data class Point(val x: Float, val y: Float)

/** One thing to draw. */
sealed class Shape {
    abstract val role: Role
}

/** A line through at least two points, [thickness] dp thick. */
data class Line(
    val points: List<Point>,
    override val role: Role,
    val thickness: Float = 1f,
    val dashed: Boolean = false,
) : Shape()

/** A filled rectangle. */
data class Rectangle(
    val left: Float,
    val top: Float,
    val right: Float,
    val bottom: Float,
    override val role: Role,
) : Shape()

/** A text that begins at [left] and stands on [baseline]; [width] is as it was measured. */
data class Label(
    val text: String,
    val left: Float,
    val baseline: Float,
    /** Height of the letters' body in dp. */
    val size: Float,
    val width: Float,
    override val role: Role = Role.TEXT,
) : Shape() {
    val top: Float get() = baseline - ASCENT * size
    val bottom: Float get() = baseline + DESCENT * size
    val right: Float get() = left + width

    companion object {
        /** Above and below the baseline, as shares of the size: those of Roboto. */
        const val ASCENT = 0.93f
        const val DESCENT = 0.25f
    }
}

/** Shapes in the order in which they are drawn, on a background of [width] x [height] dp. */
data class Drawing(val width: Float, val height: Float, val shapes: List<Shape>)

/** Measures a text in the letters that it will be drawn with. */
fun interface Ruler {
    /** Return the width in dp of a text of that size in dp. */
    fun width(text: String, size: Float): Float
}

/** Return the text, or as much of its beginning as fits into [most] dp, with an ellipsis. */
internal fun Ruler.shorten(text: String, size: Float, most: Float): String {
    if (width(text, size) <= most) return text
    val lengths = text.length - 1 downTo 1
    val length = lengths.firstOrNull { width(text.take(it) + "…", size) <= most }
    return if (length == null) "" else text.take(length).trimEnd() + "…"
}
