/// What was asked of the system for a run, and what may disturb it, for the note of an event.
public struct Conditions: Hashable, Sendable {
    /// The quality of service of the thread that measures.
    public var qos: String
    /// Options of the runtime, by its own names.
    public var settings: [String: String]
    /// Size of a page of memory.
    public var pageBytes: Int
    /// Memory that the system would still give this app; nil where it does not tell.
    public var availableBytes: Int?

    /// How often a task of low priority tells a server of the run; nil where none does.
    public var heartbeatS: Int?

    public init(
        qos: String, settings: [String: String], pageBytes: Int, availableBytes: Int?,
        heartbeatS: Int? = nil
    ) {
        self.qos = qos
        self.settings = settings
        self.pageBytes = pageBytes
        self.availableBytes = availableBytes
        self.heartbeatS = heartbeatS
    }

    /// The conditions in clauses.
    public var note: String {
        var clauses = ["quality of service \(qos)", "idle timer off"]
        clauses += settings.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        clauses.append("pages of \(pageBytes) bytes")
        if let availableBytes { clauses.append("\(size(availableBytes)) of memory left") }
        if let heartbeatS {
            clauses.append("a request to a server every \(heartbeatS) s, at background priority")
        }
        return clauses.joined(separator: "; ")
    }
}
