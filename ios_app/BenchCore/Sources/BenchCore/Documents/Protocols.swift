import Foundation

/// The definitions of the protocols, made from those of Python.
///
/// A job holds its whole protocol, so measuring needs none of them; they are for screens.
public enum Protocols {
    /// The ids, with `NN` for the frame rates of half an hour.
    public static var ids: [String] {
        definitions.map { $0.text("id") } + [before + "NN" + after]
    }

    /// Return the definition behind an id, or nil where there is none.
    public static func definition(_ id: String) -> JsonObject? {
        definitions.first { $0.text("id") == id } ?? pacedFor(id)
    }

    /// Return the protocol with an id, or nil where there is none. Throws `DocumentRefused`.
    public static func named(_ id: String) throws -> BenchProtocol? {
        try definition(id).map { try BenchProtocol(json: .object($0)) }
    }

    /// Return the protocol of half an hour at the frame rate that an id names.
    private static func pacedFor(_ id: String) -> JsonObject? {
        guard id.hasPrefix(before), id.hasSuffix(after),
            let fps = Int(id.dropFirst(before.count).dropLast(after.count)),
            (1...mostFps).contains(fps), id == "\(before)\(fps)\(after)"
        else { return nil }
        var stated = JsonObject(paced.fields.map { ($0, stating(fps, $1)) })
        stated["interval_ns"] = .int(secondNs / fps)
        return stated
    }

    private static func stating(_ fps: Int, _ value: Json) -> Json {
        guard case .text(let text) = value else { return value }
        return .text(parted(text).joined(separator: "\(fps)"))
    }

    private static let file = resource("protocols").asObject
    private static let definitions = file.list("protocols").map(\.asObject)
    private static let paced = file.part("paced")
    private static let mostFps = file.whole("most_fps")
    private static let before = parted(paced.text("id"))[0]
    private static let after = parted(paced.text("id"))[1]
    private static let secondNs = 1_000_000_000

    /// Return what is around the place of the rate in a text.
    private static func parted(_ text: String) -> [String] {
        text.components(separatedBy: "{fps}")
    }
}
