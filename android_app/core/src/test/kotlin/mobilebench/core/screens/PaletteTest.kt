package mobilebench.core.screens

import kotlin.math.max
import kotlin.math.min
import kotlin.math.pow
import org.junit.Assert.assertTrue
import org.junit.Test

/** Contrasts are those of the Web Content Accessibility Guidelines 2.1, 1.4.3 and 1.4.11. */
class PaletteTest {
    private val palettes = mapOf("light" to Palette.LIGHT, "dark" to Palette.DARK)

    @Test
    fun `texts can be read on the background and on every shade`() {
        val grounds = listOf(Role.BACKGROUND, Role.FAIR, Role.SERIOUS, Role.CRITICAL)
        for ((name, palette) in palettes) for (ground in grounds) {
            for (text in listOf(Role.TEXT, Role.FAINT_TEXT, Role.LIMIT)) {
                if (text == Role.LIMIT && ground != Role.BACKGROUND) continue
                val contrast = contrast(palette.of(text), palette.of(ground))
                assertTrue("$name: $text on $ground has $contrast", contrast >= 4.5)
            }
        }
    }

    @Test
    fun `lines stand out from the background and from every shade`() {
        val lines = listOf(
            Role.LATENCY, Role.WARM_UP, Role.TEMPERATURE, Role.WIDTH, Role.EVENT, Role.PROGRESS,
        )
        for ((name, palette) in palettes) for (line in lines) {
            val contrast = contrast(palette.of(line), palette.of(Role.BACKGROUND))
            assertTrue("$name: $line has $contrast", contrast >= 3)
        }
        val shades = listOf(Role.FAIR, Role.SERIOUS, Role.CRITICAL)
        for ((name, palette) in palettes) for (shade in shades) {
            val contrast = contrast(palette.of(Role.TEMPERATURE), palette.of(shade))
            assertTrue("$name: temperature on $shade has $contrast", contrast >= 3)
        }
    }

    private fun contrast(one: Int, other: Int): Double {
        val (a, b) = luminance(one) to luminance(other)
        return (max(a, b) + 0.05) / (min(a, b) + 0.05)
    }

    private fun luminance(colour: Int): Double {
        val parts = listOf(16, 8, 0).map { (colour shr it and 0xFF) / 255.0 }
            .map { if (it <= 0.03928) it / 12.92 else ((it + 0.055) / 1.055).pow(2.4) }
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    }
}
