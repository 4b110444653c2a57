import Foundation

/// The packages that an app was built with, as Swift's file `Package.resolved` has them.
///
/// A library that does not tell its version has that of its package.
public struct PackagePins: Sendable {
    private let pins: [Pin]

    /// Throws `Refused` for text that is not such a file.
    public init(_ content: Data) throws {
        guard let resolved = try? JSONDecoder().decode(Resolved.self, from: content) else {
            throw Refused("Package.resolved is not in the form that Xcode 16 writes; build anew.")
        }
        pins = resolved.pins
    }

    /// Return the version of a package; nil where the app was built without it.
    ///
    /// ExecuTorch has a branch for each release, `swiftpm-1.0.1`. Another branch moves, so that only
    /// its revision says what was built.
    public func version(of identity: String) -> String? {
        guard let state = pins.first(where: { $0.identity == identity })?.state else { return nil }
        if let version = state.version { return version }
        let release = state.branch.map { $0.dropFirst(releases.count) } ?? ""
        if state.branch?.hasPrefix(releases) == true, isVersion(release) { return String(release) }
        return state.revision
    }
}

private let releases = "swiftpm-"

private func isVersion(_ text: Substring) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count >= 3 && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isNumber) }
}

private struct Resolved: Decodable {
    let pins: [Pin]
}

private struct Pin: Decodable {
    let identity: String
    let state: State

    struct State: Decodable {
        let version: String?
        let branch: String?
        let revision: String?
    }
}
