/// Detects when a fast and a slow moving average of the latency agree; see `Convergence`.
struct Settling {
    private let rule: Convergence
    private var averages: (fast: Double, slow: Double)?
    private var agreed = 0

    init(_ rule: Convergence) {
        self.rule = rule
    }

    /// Add one latency; return true once latencies have converged.
    mutating func add(_ latencyNs: Int) -> Bool {
        let latency = Double(latencyNs)
        var (fast, slow) = averages ?? (latency, latency)
        fast += rule.fast * (latency - fast)
        slow += rule.slow * (latency - slow)
        averages = (fast, slow)
        agreed = abs(fast / slow - 1) <= rule.tolerance ? agreed + 1 : 0
        return agreed > rule.consecutive
    }
}
