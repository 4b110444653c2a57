/// The first inferences of a network, which `medianOfSettled` leaves out.
private let settlingInferences = 2

/// A network that was loaded to be checked.
struct CheckedModel {
    let model: any Model
    let loadNs: Int
}

/// Checks what a unit computes, and times the CPU beside it, before a job is measured.
struct UnitCheck {
    private let check: ParityCheck
    private let networks: Networks
    private let instruments: any Instruments
    private let inputs: [[TensorArray]]
    private let expected: [[TensorArray]]

    init(
        _ check: ParityCheck, of given: JobFolder, _ networks: Networks,
        _ instruments: any Instruments
    ) throws {
        self.check = check
        self.networks = networks
        self.instruments = instruments
        inputs = try readBatches(
            given.file(check.inputsFile), given.job.inputs, count: check.batches)
        expected = try readBatches(
            given.file(check.expectedFile), check.outputs.map(\.tensor), count: check.batches)
    }

    func load(_ unit: ComputeUnit) throws -> CheckedModel {
        let began = instruments.nowNs()
        let model = try networks.single(unit)
        return CheckedModel(model: model, loadNs: instruments.nowNs() - began)
    }

    /// Return how far the outputs of a unit are off.
    func parity(_ model: any Model, _ unit: ComputeUnit) throws -> UnitParity {
        try checkOutputs(
            model, inputs: inputs, expected: expected, outputs: check.outputs, unit: unit)
    }

    /// Return the median latency on the CPU; the first inferences, which differ, do not count.
    func time(onCpu model: any Model) throws -> UnitTiming {
        var latencies = ContiguousArray(repeating: 0, count: baselineInferences)
        for place in latencies.indices {
            let began = instruments.nowNs()
            try model.run()
            latencies[place] = instruments.nowNs() - began
        }
        let p50Ns = Double(medianOfSettled(&latencies))
        return UnitTiming(unit: .cpu, p50Ns: p50Ns, samples: latencies.count - settlingInferences)
    }
}
