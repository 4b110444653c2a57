import BenchCore
import CoreML
import Foundation

/// A model that was compiled on this device.
struct CompiledModel {
    let url: URL
    /// Whether it was compiled just now, so that nothing of it was in any cache.
    let isNew: Bool
}

/// Keeps models that were compiled on this device, by their content and the build of the system.
///
/// The system finds what it prepared for a unit by the identity of the compiled folder: one that is
/// compiled again misses it, even at the same path. A new build of the system compiles anew.
struct CompiledModels {
    private let folder: URL
    private let loadWaitS: Int

    init(loadWaitS: Int) throws {
        self.loadWaitS = loadWaitS
        let files = FileManager.default
        let support = try files.url(
            for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil,
            create: true)
        var folder = support.appendingPathComponent("compiled", isDirectory: true)
            .appendingPathComponent(System.osBuild, isDirectory: true)
        try files.createDirectory(at: folder, withIntermediateDirectories: true)
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try folder.setResourceValues(values)
        self.folder = folder
    }

    /// Return the compiled form of a model, compiling it on first use. Throws `ModelFailed`.
    func compiled(_ file: URL, sha256: String) throws -> CompiledModel {
        let place = folder.appendingPathComponent("\(sha256).mlmodelc", isDirectory: true)
        let files = FileManager.default
        if files.fileExists(atPath: place.path) { return CompiledModel(url: place, isNew: false) }
        let fresh = try waiting(atMost: loadWaitS, for: "Core ML's compilation of the model") {
            try await MLModel.compileModel(at: file)
        }
        do {
            try files.moveItem(at: fresh, to: place)
        } catch {
            throw ModelFailed("the compiled model cannot be kept: \(words(of: error))")
        }
        return CompiledModel(url: place, isNew: true)
    }
}
