import Testing

@testable import BenchCore

@Suite struct ControllersTests {
    private let costs = [
        WidthCost(width: 1, coolNs: 80 * ms, top1: 70),
        WidthCost(width: 0.5, coolNs: 30 * ms, top1: 60),
    ]

    @Test func aParameterThatTheRuleDoesNotHaveIsRefusedByItsName() {
        let policy = Policy(rule: .deadline, parameters: ["margin_c": 1])
        #expect(refusal(policy).contains("no parameter 'margin_c'; it has quiet_ns, longest_ns"))
    }

    @Test func aRuleWithoutParametersSaysSo() {
        let policy = Policy(rule: .fixed, parameters: ["gain": 0.1])
        #expect(refusal(policy).contains("has no parameter 'gain'; it has none."))
    }

    @Test(arguments: [-0.1, 1.5, .nan]) func aNumberOutOfItsRangeIsRefused(_ number: Double) {
        let message = refusal(Policy(rule: .deadline, parameters: ["gain": number]))
        #expect(message.contains("gain") && message.contains("from 0.0 to 1.0"))
    }

    @Test func framesWithoutAPaceNeedADeadlineInTheAim() throws {
        for rule in PolicyRule.allCases where rule != .fixed {
            #expect {
                try controller(of: Policy(rule: rule), widths: costs, intervalNs: nil)
            } throws: { error in
                error is Refused && "\(error)".contains("needs a deadline")
            }
            let stated = Policy(rule: rule, aim: Aim(deadlineNs: 1))
            _ = try controller(of: stated, widths: costs, intervalNs: nil)
        }
        _ = try controller(of: Policy(), widths: costs, intervalNs: nil)
    }

    @Test func aNumberThatIsNotFiniteIsNotKnown() {
        let reading = ThermalReading(
            state: .fair, headroom: .nan, skinC: .infinity, batteryC: 31.5)
        #expect(reading.known == ["state": 1, "battery_c": 31.5])
        #expect(reading.heatSource == .battery)
    }

    @Test func aReadingHasTheHottestSensorOfAKindAndTheCapAsAShareOfTheHighest() {
        var readings = ThermalReadings()
        let skins = ["Skin-1": 30.0, "back skin": 33, "cpu": 70]
        _ = readings.reading(of: DeviceState(tNs: 0, cpuCapMhz: 2000))
        let state = DeviceState(tNs: 1, temperaturesC: skins, cpuCapMhz: 1500)
        #expect(readings.reading(of: state).known == ["skin_c": 33, "cap": 0.75])
        var others = ThermalReadings()
        #expect(others.reading(of: DeviceState(tNs: 0, cpuCapMhz: 0)).known.isEmpty)
    }

    @Test func theLargestExcessCountsAndWhatIsNotKnownIsNoExcess() {
        let aim = Aim(headroom: 0.9, skinC: 38, batteryC: 40, uncapped: true)
        let warm = ThermalReading(skinC: 37, batteryC: 42.5)
        #expect(aim.excess(of: warm, capped: true) == 2.5)
        #expect(aim.excess(of: ThermalReading(), capped: false) == -10)
        let hot = ThermalReading(batteryC: 60)
        #expect(Aim(skinC: 38).excess(of: hot, capped: false).isNaN)
    }

    private func refusal(_ policy: Policy) -> String {
        do {
            _ = try controller(of: policy, widths: costs, intervalNs: 100)
            return "nothing was refused"
        } catch {
            return (error as? Refused)?.message ?? "not a refusal: \(error)"
        }
    }
}
