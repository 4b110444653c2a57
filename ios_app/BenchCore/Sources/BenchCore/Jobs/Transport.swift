import Foundation

/// One job that a transport has for this device.
public struct Offer: Hashable, Sendable {
    public let id: String
    public let title: String
    public let bytes: Int

    public init(id: String, title: String, bytes: Int) {
        self.id = id
        self.title = title
        self.bytes = bytes
    }
}

/// Where jobs come from and results go to: a server, a shared folder.
///
/// No transport is part of the app today: jobs come by cable or by the system's file picker. Each
/// call throws `TransportFailed`.
public protocol Transport: Sendable {
    var name: String { get }

    /// The jobs that wait for this device, the oldest first.
    func offers() async throws -> [Offer]

    /// Write the folder of a job; it appears whole or not at all, see `importJob`.
    func fetch(_ offer: Offer, into jobs: URL) async throws -> URL

    /// Hand over the record of a job, byte for byte as it was written.
    func upload(_ record: URL) async throws
}

/// A transport could not be reached, or refused; the message is a sentence for people.
public struct TransportFailed: Error, CustomStringConvertible {
    public let description: String

    public init(_ sentence: String) {
        description = sentence
    }
}
