extension Aim {
    /// Return how far a device is beyond the limits on heat that the aim states.
    ///
    ///     excess = the largest of: temperature - limit, 30 x (headroom - limit), state, cap,
    ///              energy
    ///
    /// It is in degrees, or something like degrees: 0 at the limit, more beyond it. A state or a
    /// cap is beyond by one, at the limit, or far below it, since it has no finer steps. NaN where
    /// no limited quantity is known.
    func excess(of reading: ThermalReading, capped: Bool) -> Double {
        var most = Double.nan
        if let skinC { most = larger(most, reading.skinC - skinC) }
        if let batteryC { most = larger(most, reading.batteryC - batteryC) }
        if let headroom { most = larger(most, degreesOfHeadroom * (reading.headroom - headroom)) }
        if let warmest {
            let steps = reading.state - Double(warmest.warmth)
            most = larger(most, steps < 0 ? far : steps)
        }
        if let energyMj, energyMj != 0 {
            most = larger(most, degreesOfEnergy * (reading.energyMj / energyMj - 1))
        }
        if uncapped { most = larger(most, capped ? 1 : far) }
        return most
    }

    /// Whether the aim says anything about heat.
    var hasLimit: Bool {
        uncapped || warmest != nil || headroom != nil || skinC != nil || batteryC != nil
            || energyMj != nil
    }
}

/// What says how warm a device is, the best first. Degrees of different sources do not compare.
enum HeatSource { case skin, headroom, battery }

extension ThermalReading {
    /// The best source that the reading has; nil where it has none.
    var heatSource: HeatSource? {
        if !skinC.isNaN { return .skin }
        if !headroom.isNaN { return .headroom }
        return batteryC.isNaN ? nil : .battery
    }

    /// Return the degrees by a source that the reading has.
    func warmthC(by source: HeatSource) -> Double {
        switch source {
        case .skin: return skinC
        case .headroom: return degreesOfHeadroom * headroom
        case .battery: return batteryC
        }
    }
}

/// Return the larger number; NaN is no number, and the other one is returned.
func larger(_ one: Double, _ other: Double) -> Double {
    one.isNaN || other > one ? other : one
}

/// Android defines the headroom so that 30 degrees below severe throttling are 0.
private let degreesOfHeadroom = 30.0
private let degreesOfEnergy = 10.0
private let far = -10.0
