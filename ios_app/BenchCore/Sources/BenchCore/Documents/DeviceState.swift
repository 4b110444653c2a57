/// The condition of a device at one moment; what cannot be read is nil, never guessed.
public struct DeviceState: Hashable, Sendable {
    public var tNs: Int
    public var thermal: ThermalState?
    /// By the device's own name of each sensor.
    public var temperaturesC: [String: Double]?
    /// Android's thermal headroom: 0 is cool, at 1 the system throttles severely.
    public var headroom: Double?
    /// How old the headroom was when it was read.
    public var headroomAgeNs: Int?
    public var loadAverage: Double?
    /// Share of all cores that other work kept busy just before, 0 to 1.
    public var busyFraction: Double?
    /// Mean over the cores.
    public var cpuMhz: Double?
    public var governor: String?
    public var lowPowerMode: Bool?
    public var batteryFraction: Double?
    public var charging: Bool?
    /// Highest clock that the system allows the fastest cores now.
    public var cpuCapMhz: Double?
    /// Why a field is nil, by the field's name in documents.
    public var unreadable: [String: Unreadable]

    public init(
        tNs: Int,
        thermal: ThermalState? = nil,
        temperaturesC: [String: Double]? = nil,
        headroom: Double? = nil,
        headroomAgeNs: Int? = nil,
        loadAverage: Double? = nil,
        busyFraction: Double? = nil,
        cpuMhz: Double? = nil,
        governor: String? = nil,
        lowPowerMode: Bool? = nil,
        batteryFraction: Double? = nil,
        charging: Bool? = nil,
        cpuCapMhz: Double? = nil,
        unreadable: [String: Unreadable] = [:]
    ) {
        self.tNs = tNs
        self.thermal = thermal
        self.temperaturesC = temperaturesC
        self.headroom = headroom
        self.headroomAgeNs = headroomAgeNs
        self.loadAverage = loadAverage
        self.busyFraction = busyFraction
        self.cpuMhz = cpuMhz
        self.governor = governor
        self.lowPowerMode = lowPowerMode
        self.batteryFraction = batteryFraction
        self.charging = charging
        self.cpuCapMhz = cpuCapMhz
        self.unreadable = unreadable
    }
}

/// Cores of one kind.
public struct Cores: Hashable, Sendable {
    public var count: Int
    public var maxMhz: Double?

    public init(count: Int, maxMhz: Double? = nil) {
        self.count = count
        self.maxMhz = maxMhz
    }
}

/// One device, as it describes itself.
public struct Device: Hashable, Sendable {
    public var id: String
    public var kind: DeviceKind
    public var model: String
    public var soc: String?
    public var os: String
    public var osVersion: String
    public var osBuild: String?
    public var ramBytes: Int?
    public var cores: Int?
    /// The slowest first; nil where it is not known.
    public var clusters: [Cores]?
    public var bootAgeNs: Int?

    public init(
        id: String,
        kind: DeviceKind,
        model: String,
        soc: String? = nil,
        os: String,
        osVersion: String,
        osBuild: String? = nil,
        ramBytes: Int? = nil,
        cores: Int? = nil,
        clusters: [Cores]? = nil,
        bootAgeNs: Int? = nil
    ) {
        self.id = id
        self.kind = kind
        self.model = model
        self.soc = soc
        self.os = os
        self.osVersion = osVersion
        self.osBuild = osBuild
        self.ramBytes = ramBytes
        self.cores = cores
        self.clusters = clusters
        self.bootAgeNs = bootAgeNs
    }
}
