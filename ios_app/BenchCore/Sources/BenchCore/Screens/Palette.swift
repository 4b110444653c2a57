/// What a shape stands for; a palette gives it its colour.
public enum Role: Sendable, CaseIterable {
    case latency, warmUp, limit, temperature, width, event, fair, serious, critical
}

/// Colours of roles as 0xRRGGBB, for one theme.
public struct Palette: Sendable {
    private let colours: [Role: UInt32]

    public func of(_ role: Role) -> UInt32 { colours[role] ?? 0 }

    public static let light = Palette(colours: [
        .latency: 0x00529C, .warmUp: 0x7C8794, .limit: 0xB00020, .temperature: 0xA04000,
        .width: 0x00695C, .event: 0x7B1FA2, .fair: 0xFFF2CC,
        .serious: 0xFFD9B8, .critical: 0xFFC4C0,
    ])

    public static let dark = Palette(colours: [
        .latency: 0x8AB8F0, .warmUp: 0x7C8794, .limit: 0xFF8A95, .temperature: 0xFFB27A,
        .width: 0x6FD3C3, .event: 0xD9A6EA, .fair: 0x3A341C,
        .serious: 0x4A2F16, .critical: 0x551C1C,
    ])
}
