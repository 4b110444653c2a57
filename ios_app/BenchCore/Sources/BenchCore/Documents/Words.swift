/// A choice that documents write as a word.
public protocol Word: RawRepresentable<String>, CaseIterable, Hashable, Sendable {}

extension Word {
    /// As it stands in a document.
    public var word: String { rawValue }
}

public enum Format: String, Word {
    case coreml, tflite, onnx, executorch
}

/// The unit that a runtime is asked to compute on.
public enum ComputeUnit: String, Word {
    case cpu, gpu, npu, all
}

/// How well it is known that the requested unit did the work.
public enum UnitEvidence: String, Word {
    case confirmed, likely, unknown
    case notSupported = "not supported"
}

/// Thermal pressure, in the order of warmth.
public enum ThermalState: String, Word, Comparable {
    case nominal, fair, serious, critical

    /// 0 for the coolest.
    public var warmth: Int {
        switch self {
        case .nominal: 0
        case .fair: 1
        case .serious: 2
        case .critical: 3
        }
    }

    public static func < (one: Self, other: Self) -> Bool { one.warmth < other.warmth }
}

/// Why a reading is missing.
public enum Unreadable: String, Word {
    /// The device does not have it.
    case absent
    case denied
    /// The device has it, and gives no value yet, or not so often.
    case notReady = "not ready"
}

/// What a sample counts as.
public enum Phase: String, Word {
    case warmUp = "warm-up"
    case measured
}

/// The limit of a job that ended a measurement early.
public enum Stop: String, Word {
    case time, heat, battery
}

/// What a policy decides by.
public enum PolicyRule: String, Word {
    case fixed, deadline, threshold, headroom, predictive
}

/// What can happen to a device, or be decided on it, while it measures.
public enum EventKind: String, Word {
    case widthShift = "width shift"
    case clockCap = "clock cap"
    case background, foreground
    case screenOff = "screen off"
    case screenOn = "screen on"
    case chargerConnected = "charger connected"
    case chargerRemoved = "charger removed"
    case call
    case memoryWarning = "memory warning"
    case resumed
}

/// What a load found in the process and in the system's caches.
public enum LoadKind: String, Word {
    case firstEver = "first ever"
    case first, cold, warm
}

/// Where a cell can fail on a device.
public enum Stage: String, Word {
    case parity, load, run
}

/// How a program was built.
public enum Build: String, Word {
    case release, debug
}

public enum DeviceKind: String, Word {
    case phone, tablet, board, host, simulated
}

/// The one number that a protocol makes of its samples.
public enum Headline: String, Word {
    case median, p90
    case trimmedMean = "trimmed mean"
}

/// What a device's reading of the current is in.
public enum CurrentUnit: String, Word {
    case microampere = "uA"
    case milliampere = "mA"
    case unknown
}

/// Which sign of the current means that the battery is drained.
public enum Discharging: String, Word {
    case negative, positive, unknown
}
