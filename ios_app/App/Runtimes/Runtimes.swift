import BenchCore
import Foundation

/// The runtimes of this build.
private var names: [String] {
    var names = ["coreml"]
    #if canImport(CoreAI)
        if #available(iOS 27, *) { names.append("coreai") }
    #endif
    #if canImport(ExecuTorch)
        names.append("executorch")
    #endif
    #if canImport(OnnxRuntimeBindings)
        names.append("onnxruntime")
    #endif
    return names
}

/// Load the library that a job names. Throws `Refused` where this build has none of that name.
func runtime(of job: Job, _ wishes: RunWishes, plan: Plan?) throws -> any Runtime {
    switch job.runtime {
    case "coreml":
        return try CoreMLRuntime(
            wishes: wishes.coreML, loadWaitS: wishes.loadWaitS, plan: plan)
    #if canImport(CoreAI)
        case "coreai":
            if #available(iOS 27, *) { return CoreAIRuntime(loadWaitS: wishes.loadWaitS) }
            throw Refused("The job asks for Core AI, which iOS has from 27 on.")
    #endif
    #if canImport(ExecuTorch)
        case "executorch": return try ExecuTorchRuntime()
    #endif
    #if canImport(OnnxRuntimeBindings)
        case "onnxruntime": return try OnnxRuntime()
    #endif
    default:
        throw Refused(
            "The job asks for the runtime \(job.runtime), and this app has "
                + "\(names.joined(separator: ", ")).")
    }
}

/// Return the version of a package that this app was built with; nil where it has none.
func packageVersion(_ identity: String) throws -> String? {
    guard let file = Bundle.main.url(forResource: "Package", withExtension: "resolved") else {
        return nil
    }
    return try PackagePins(Data(contentsOf: file)).version(of: identity)
}
