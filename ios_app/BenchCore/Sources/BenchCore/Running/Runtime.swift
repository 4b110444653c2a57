import Foundation

/// One inference library. Making it loads the library.
///
/// A runtime refuses what it does not have. It never takes another unit or delegate instead.
/// Used by the thread that measures.
public protocol Runtime {
    /// As jobs name it: `coreml`, `coreai`, `executorch`, `onnxruntime`.
    var name: String { get }

    /// The library's own version.
    var version: String { get }

    var format: Format { get }

    /// How names of files end that it takes; nil where the name does not tell.
    var endings: [String]? { get }

    /// The units, each with nil where it is there, or a clause that says why not.
    var units: [ComputeUnit: String?] { get }

    /// What the library is told beyond a request, by its own names.
    var settings: [String: String] { get }

    /// Load a model.
    ///
    /// Throws `Refused` for a unit or a delegate that is not there, and for a file that is not of
    /// the format, is cut off, or does not fit the request; `ModelFailed` for what the library
    /// itself says.
    func load(_ request: ModelRequest) throws -> any Model
}

extension Runtime {
    public var endings: [String]? { nil }
    public var settings: [String: String] { [:] }

    /// Whether a file can be one of its files, by its name.
    public func takes(_ file: String) -> Bool {
        endings?.contains { file.hasSuffix(".\($0)") } ?? true
    }

    /// Return why a unit is not there, in a clause; nil where it is.
    public func lack(of unit: ComputeUnit) -> String? { units[unit] ?? "it is not there" }
}

/// What to load, and how.
public struct ModelRequest: Sendable {
    public var file: URL
    /// Of the content of the file or the folder; what is compiled from it is kept by this.
    public var sha256: String
    /// Chooses a network in a file of several widths; nil for the file's own.
    public var entry: String?
    /// What the network takes, in the order of the job.
    public var inputs: [TensorSpec]
    /// The outputs that are expected, in their order; empty where the job checks none.
    public var outputs: [TensorSpec]
    public var unit: ComputeUnit
    /// The backend that the file was made for, as the job has it.
    public var delegate: String?
    public var threads: Int
    /// Whether each run makes the library's inputs anew, inside the timed call.
    public var preparesInside: Bool

    public init(
        file: URL, sha256: String, entry: String?, inputs: [TensorSpec], outputs: [TensorSpec],
        unit: ComputeUnit, delegate: String?, threads: Int, preparesInside: Bool
    ) {
        self.file = file
        self.sha256 = sha256
        self.entry = entry
        self.inputs = inputs
        self.outputs = outputs
        self.unit = unit
        self.delegate = delegate
        self.threads = threads
        self.preparesInside = preparesInside
    }
}

/// A loaded model. It may be used by the thread that loaded it, and by no other.
public protocol Model: AnyObject {
    /// What the network gives, in the order of the request where that names outputs.
    var outputs: [TensorSpec] { get }

    /// Whether nothing of it was in the caches of the app when it was loaded.
    var isFirstEver: Bool { get }

    /// Set the inputs of all runs from now on.
    func feed(_ inputs: [TensorArray]) throws

    /// Compute once. Allocates as little as the library allows. Throws `ModelFailed`.
    func run() throws

    /// Return copies of the outputs of the last run.
    func read() throws -> [TensorArray]

    /// The library's own plan of where operations run; nil where it tells none.
    var placement: [PlacedOperation]? { get }
}

extension Model {
    public var isFirstEver: Bool { false }
    public var placement: [PlacedOperation]? { nil }
}

/// The library failed; the message is its own, after a clause of ours.
public struct ModelFailed: Error, CustomStringConvertible {
    public let description: String

    public init(_ message: String) {
        description = message
    }
}

/// Require one array of the right form for each input; throws `ModelFailed`.
public func requireFed(_ specs: [TensorSpec], _ inputs: [TensorArray]) throws {
    guard inputs.count == specs.count else {
        throw ModelFailed("\(inputs.count) inputs were given for \(specs.count)")
    }
    for (spec, input) in zip(specs, inputs)
    where input.tensor.shape != spec.shape || input.tensor.dtype != spec.dtype {
        throw ModelFailed("\(input.tensor) was given for the input \(spec)")
    }
}

/// Return what an error says, in its own words.
public func words(of error: any Error) -> String {
    // An error of the system knows a sentence for people; its description is for programmers.
    let isOfSystem = error is any CustomNSError || type(of: error) is NSError.Type
    return isOfSystem ? error.localizedDescription : "\(error)"
}
