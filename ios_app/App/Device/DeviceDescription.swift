import BenchCore
import Foundation
import UIKit

/// Describe this device, without anything that tells it from others of its kind.
@MainActor
func describeDevice() throws -> Device {
    let process = ProcessInfo.processInfo
    let isTablet = UIDevice.current.userInterfaceIdiom == .pad
    // A simulator's numbers are those of the Mac that it runs on.
    let kind: DeviceKind = System.isSimulator ? .simulated : isTablet ? .tablet : .phone
    return Device(
        id: "ios-\(try installId())",
        kind: kind,
        model: "Apple \(System.machine)",
        os: System.osName,
        osVersion: System.osVersion,
        osBuild: System.osBuild,
        ramBytes: Int(process.physicalMemory),
        cores: process.processorCount,
        clusters: System.clusters,
        bootAgeNs: System.continuousNs())
}

/// Describe this app.
func describeApp() -> Application {
    let info = Bundle.main.infoDictionary
    let version = info?["CFBundleShortVersionString"] as? String ?? "unknown"
    #if DEBUG
        let build = Build.debug
    #else
        let build = Build.release
    #endif
    return Application(name: "mobilebench for iOS", version: version, build: build)
}

/// Say which program made a record, and how the job came to it.
func provenance() -> Provenance {
    Provenance(harnessVersion: describeApp().version, transport: "app")
}

/// Return what tells this installation from others; it says nothing of the device or the user.
private func installId() throws -> String {
    let file = try privateFolder().appendingPathComponent("install-id")
    if let kept = try? String(contentsOf: file, encoding: .utf8) { return kept }
    let id = String(UUID().uuidString.lowercased().prefix(13))
    try Data(id.utf8).write(to: file, options: .atomic)
    return id
}

/// Return the folder of this app that neither the cable nor a backup reaches.
func privateFolder() throws -> URL {
    let files = FileManager.default
    let support = try files.url(
        for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
    var folder = support.appendingPathComponent("private", isDirectory: true)
    try files.createDirectory(at: folder, withIntermediateDirectories: true)
    var values = URLResourceValues()
    values.isExcludedFromBackup = true
    try folder.setResourceValues(values)
    return folder
}

/// Return the folder of jobs, which the cable and the Files app reach.
func jobsFolder() throws -> URL {
    let files = FileManager.default
    let documents = try files.url(
        for: .documentDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
    let folder = documents.appendingPathComponent("jobs", isDirectory: true)
    try files.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
}
