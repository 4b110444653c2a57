package mobilebench.core.screens

/** Colours of roles as 0xRRGGBB, for one theme. */
class Palette private constructor(private val colours: Map<Role, Int>) {
    fun of(role: Role): Int = colours.getValue(role)

    companion object {
        val LIGHT = Palette(
            mapOf(
                Role.BACKGROUND to 0xFFFFFF, Role.TEXT to 0x1B1B1F, Role.FAINT_TEXT to 0x55565C,
                Role.GRID to 0xDADAE0, Role.LATENCY to 0x00529C, Role.WARM_UP to 0x7C8794,
                Role.LIMIT to 0xB00020, Role.TEMPERATURE to 0xA04000, Role.WIDTH to 0x00695C,
                Role.EVENT to 0x7B1FA2, Role.FAIR to 0xFFF2CC, Role.SERIOUS to 0xFFD9B8,
                Role.CRITICAL to 0xFFC4C0, Role.TRACK to 0xDADAE0, Role.PROGRESS to 0x00529C,
            ),
        )
        val DARK = Palette(
            mapOf(
                Role.BACKGROUND to 0x121316, Role.TEXT to 0xE6E6EA, Role.FAINT_TEXT to 0xA9AAB2,
                Role.GRID to 0x3A3B42, Role.LATENCY to 0x8AB8F0, Role.WARM_UP to 0x7C8794,
                Role.LIMIT to 0xFF8A95, Role.TEMPERATURE to 0xFFB27A, Role.WIDTH to 0x6FD3C3,
                Role.EVENT to 0xD9A6EA, Role.FAIR to 0x3A341C, Role.SERIOUS to 0x4A2F16,
                Role.CRITICAL to 0x551C1C, Role.TRACK to 0x3A3B42, Role.PROGRESS to 0x8AB8F0,
            ),
        )
    }
}
