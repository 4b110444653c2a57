/// `fixed`: the widest network throughout; what every other policy is shown beside.
final class Fixed: Controller {
    let reason = Reason.hold
    let inputs: [String: Double] = [:]

    func decide(tNs: Int, index: Int, latencyNs: Int?, reading: ThermalReading?) -> Int { 0 }
}
