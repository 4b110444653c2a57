package mobilebench.core.documents

/** A choice that documents write as a word. */
interface Word {
    /** As it stands in a document. */
    val word: String
}

/** Return the choice of that word, or null where there is none. */
inline fun <reified T> wordOrNull(word: String): T? where T : Enum<T>, T : Word =
    enumValues<T>().firstOrNull { it.word == word }

enum class Format(override val word: String) : Word {
    COREML("coreml"), TFLITE("tflite"), ONNX("onnx"), EXECUTORCH("executorch"),
}

/** The unit that a runtime is asked to compute on. */
enum class ComputeUnit(override val word: String) : Word {
    CPU("cpu"), GPU("gpu"), NPU("npu"), ALL("all"),
}

/** How well it is known that the requested unit did the work. */
enum class UnitEvidence(override val word: String) : Word {
    CONFIRMED("confirmed"), LIKELY("likely"), NOT_SUPPORTED("not supported"), UNKNOWN("unknown"),
}

/** Thermal pressure, in the order of warmth. */
enum class ThermalState(override val word: String) : Word {
    NOMINAL("nominal"), FAIR("fair"), SERIOUS("serious"), CRITICAL("critical"),
}

/** Why a reading is missing. */
enum class Unreadable(override val word: String) : Word {
    /** The device does not have it. */
    ABSENT("absent"),
    DENIED("denied"),

    /** The device has it, and gives no value yet, or not so often. */
    NOT_READY("not ready"),
}

/** What a sample counts as. */
enum class Phase(override val word: String) : Word { WARM_UP("warm-up"), MEASURED("measured") }

/** The limit of a job that ended a measurement early. */
enum class Stop(override val word: String) : Word { TIME("time"), HEAT("heat"), BATTERY("battery") }

/** What a policy decides by. */
enum class PolicyRule(override val word: String) : Word {
    FIXED("fixed"), DEADLINE("deadline"), THRESHOLD("threshold"), HEADROOM("headroom"),
    PREDICTIVE("predictive"),
}

/** What can happen to a device, or be decided on it, while it measures. */
enum class EventKind(override val word: String) : Word {
    WIDTH_SHIFT("width shift"), CLOCK_CAP("clock cap"), BACKGROUND("background"),
    FOREGROUND("foreground"), SCREEN_OFF("screen off"), SCREEN_ON("screen on"),
    CHARGER_CONNECTED("charger connected"), CHARGER_REMOVED("charger removed"), CALL("call"),
    MEMORY_WARNING("memory warning"), RESUMED("resumed"),
}

/** What a load found in the process and in the system's caches. */
enum class LoadKind(override val word: String) : Word {
    FIRST_EVER("first ever"), FIRST("first"), COLD("cold"), WARM("warm"),
}

/** Where a cell can fail on a device. */
enum class Stage(override val word: String) : Word { PARITY("parity"), LOAD("load"), RUN("run") }

/** How a program was built. */
enum class Build(override val word: String) : Word { RELEASE("release"), DEBUG("debug") }

enum class DeviceKind(override val word: String) : Word {
    PHONE("phone"), TABLET("tablet"), BOARD("board"), HOST("host"), SIMULATED("simulated"),
}
