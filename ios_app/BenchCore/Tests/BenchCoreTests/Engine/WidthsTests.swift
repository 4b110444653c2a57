import Testing

@testable import BenchCore

@Suite struct WidthsTests {
    private let deadline = Policy(rule: .deadline, aim: Aim(deadlineNs: 30 * ms))

    @Test func thePolicyFixedChoosesNothing() throws {
        let several = try job(Policy()).several { _ in }
        #expect(several == nil)
    }

    @Test func variantsBecomeWidthsAndLateFramesANarrowerOne() throws {
        let several = try #require(try job(deadline).several { _ in })
        #expect(several.widths == [1, 0.5])
        let chooser = try several.chooser([25 * ms, 10 * ms])
        #expect(choices(chooser, frames: 5) == [0, 0, 1, 1, 1])
        #expect(chooser.reason == "hold")
    }

    @Test func aShiftHasItsReasonAndItsNumbers() throws {
        let several = try #require(try job(deadline).several { _ in })
        let chooser = try several.chooser([25 * ms, 10 * ms])
        _ = choices(chooser, frames: 3)
        #expect(chooser.reason == "late")
        #expect(chooser.readings == ["pace": 1.6, "waited_s": 0.3])
    }

    @Test func aVariantWithoutAnAccuracyIsRefusedBeforeAnythingRuns() {
        var without = job(deadline)
        for at in without.variants.indices { without.variants[at].accuracy = nil }
        #expect {
            try without.requirePossible()
        } throws: { error in
            error is Refused && "\(error)".contains("that of full is not known")
        }
    }

    @Test func aPolicyWithoutADeadlineIsRefused() {
        #expect(throws: Refused.self) { try job(Policy(rule: .predictive)).several { _ in } }
    }

    private func choices(_ chooser: any Chooser, frames: Int) -> [Int] {
        (1...frames).map {
            chooser.choose(tNs: $0 * 100 * ms, index: 0, latencyNs: 40 * ms, state: nil)
        }
    }

    private func job(_ policy: Policy) -> Job {
        Job(
            schemaVersion: 2, modelFile: "a", modelSha256: "", format: .onnx, delegate: nil,
            inputs: [], runtime: "onnxruntime", benchProtocol: played(5),
            variants: [variant("full", 1, 70), variant("half", 0.5, 60)], policy: policy)
    }

    private func variant(_ name: String, _ width: Double, _ top1: Double) -> Variant {
        Variant(
            name: name, modelFile: name, modelSha256: "", width: width,
            accuracy: VariantAccuracy(top1: top1, source: "a paper", measured: false))
    }
}
