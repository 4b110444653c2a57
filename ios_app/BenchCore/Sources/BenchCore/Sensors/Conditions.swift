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

    public init(
        qos: String, settings: [String: String], pageBytes: Int, availableBytes: Int?
    ) {
        self.qos = qos
        self.settings = settings
        self.pageBytes = pageBytes
        self.availableBytes = availableBytes
    }

    /// The conditions in clauses.
    public var note: String {
        var clauses = ["quality of service \(qos)", "idle timer off"]
        clauses += settings.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        clauses.append("pages of \(pageBytes) bytes")
        if let availableBytes { clauses.append("\(size(availableBytes)) of memory left") }
        return clauses.joined(separator: "; ")
    }
}
