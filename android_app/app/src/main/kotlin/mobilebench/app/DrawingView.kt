package mobilebench.app

import android.content.Context
import android.graphics.Canvas
import android.graphics.DashPathEffect
import android.graphics.Paint
import android.graphics.Path
import android.util.TypedValue
import android.view.View
import mobilebench.core.screens.Drawing
import mobilebench.core.screens.Label
import mobilebench.core.screens.Line
import mobilebench.core.screens.Palette
import mobilebench.core.screens.Rectangle
import mobilebench.core.screens.Role
import mobilebench.core.screens.Ruler
import mobilebench.core.screens.Shape
import mobilebench.core.screens.Canvas as Place

/**
 * Shows a drawing that core made for its width.
 *
 * [make] gets the place to draw in; it is asked again when the width changes and by [renew].
 */
class DrawingView(
    context: Context,
    private val make: (Place) -> Drawing,
) : View(context) {
    private val density = resources.displayMetrics.density
    private val paint = Paint(Paint.ANTI_ALIAS_FLAG)
    private val palette = if (isNight(resources)) Palette.DARK else Palette.LIGHT
    private val ruler = Ruler { text, size ->
        paint.textSize = size * density
        paint.measureText(text) / density
    }
    private var drawing: Drawing? = null

    /** Make the drawing anew. */
    fun renew() {
        if (width == 0) return
        val before = drawing?.height
        drawing = made(width)
        if (drawing?.height != before) requestLayout()
        invalidate()
    }

    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val width = MeasureSpec.getSize(widthSpec)
        val current = drawing?.takeIf { (it.width * density).toInt() == width } ?: made(width)
        drawing = current
        setMeasuredDimension(width, (current.height * density).toInt())
    }

    override fun onDraw(canvas: Canvas) {
        for (shape in drawing?.shapes.orEmpty()) draw(canvas, shape)
    }

    private fun made(width: Int): Drawing {
        val size = TypedValue.applyDimension(
            TypedValue.COMPLEX_UNIT_SP, TEXT_SP, resources.displayMetrics,
        )
        return make(Place(width / density, size / density, ruler, density))
    }

    private fun draw(canvas: Canvas, shape: Shape) {
        paint.color = OPAQUE or palette.of(shape.role)
        when (shape) {
            is Line -> draw(canvas, shape)
            is Rectangle -> {
                paint.style = Paint.Style.FILL
                canvas.drawRect(
                    shape.left * density, shape.top * density, shape.right * density,
                    shape.bottom * density, paint,
                )
            }
            is Label -> {
                paint.style = Paint.Style.FILL
                paint.textSize = shape.size * density
                canvas.drawText(shape.text, shape.left * density, shape.baseline * density, paint)
            }
        }
    }

    private fun draw(canvas: Canvas, line: Line) {
        val path = Path()
        line.points.forEachIndexed { index, point ->
            val x = point.x * density
            val y = point.y * density
            if (index == 0) path.moveTo(x, y) else path.lineTo(x, y)
        }
        paint.style = Paint.Style.STROKE
        paint.strokeWidth = line.thickness * density
        paint.pathEffect =
            if (line.dashed) DashPathEffect(floatArrayOf(4 * density, 3 * density), 0f) else null
        canvas.drawPath(path, paint)
        paint.pathEffect = null
    }

    private companion object {
        const val TEXT_SP = 12f
        const val OPAQUE = 0xFF shl 24
    }
}

/** The background of a page, so that charts and texts stand on the same colour. */
fun backgroundOf(night: Boolean): Int =
    (0xFF shl 24) or (if (night) Palette.DARK else Palette.LIGHT).of(Role.BACKGROUND)
