import Foundation

extension BenchProtocol {
    /// Whether each call makes the inputs of the library, and is timed with that.
    ///
    /// The tool behind the published tables did so; its protocol repeats it.
    public var preparesInside: Bool { id == "modelbench-1" }
}

/// Loads the networks of a job, and computes with the one that is in force.
///
/// Used by one thread.
public final class Networks {
    private let given: JobFolder
    private let runtime: any Runtime
    private var loaded: [any Model] = []
    private var inForce: (any Model)?

    public init(_ given: JobFolder, _ runtime: any Runtime) {
        self.given = given
        self.runtime = runtime
    }

    private var job: Job { given.job }

    /// Load one network apart from the others, for a unit.
    public func single(_ unit: ComputeUnit) throws -> any Model {
        try runtime.load(request(job.modelFile, job.modelSha256, nil, unit))
    }

    /// Load each network that may be chosen, in place of those before; the first is in force.
    public func load(_ inputs: [TensorArray]) throws -> Infer {
        close()
        let requests = job.policy.rule == .fixed
            ? [request(job.modelFile, job.modelSha256, nil, job.computeUnit)]
            : job.variants.map {
                request($0.modelFile, $0.modelSha256, $0.entry, job.computeUnit)
            }
        for request in requests {
            let model = try runtime.load(request)
            loaded.append(model)
            try model.feed(inputs)
        }
        select(0)
        // One network is called without a detour, which would be timed.
        if loaded.count == 1 { return loaded[0].run }
        return { [unowned self] in try inForce?.run() }
    }

    /// The library's plan for the network that is in force.
    public var placement: [PlacedOperation]? { inForce?.placement }

    /// Whether nothing of the networks was in the caches of the app when they were loaded.
    public var isFirstEver: Bool { !loaded.isEmpty && loaded.allSatisfy(\.isFirstEver) }

    /// Compute with the network at an index from now on.
    public func select(_ index: Int) {
        inForce = loaded[index]
    }

    public func close() {
        inForce = nil
        loaded = []
    }

    private func request(
        _ file: String, _ sha256: String, _ entry: String?, _ unit: ComputeUnit
    ) -> ModelRequest {
        ModelRequest(
            file: given.file(file), sha256: sha256, entry: entry, inputs: job.inputs,
            outputs: job.parity?.outputs.map(\.tensor) ?? [], unit: unit,
            delegate: job.delegate, threads: job.threads,
            preparesInside: job.benchProtocol.preparesInside)
    }
}
