// ONNX Runtime's library for Apple's systems, in Objective-C.
import Foundation

/// swift: https://onnxruntime.ai/docs/api/objectivec/Enums/ORTLoggingLevel.html
public enum ORTLoggingLevel: Int, @unchecked Sendable {
    case verbose, info, warning, error, fatal
}

/// swift: https://onnxruntime.ai/docs/api/objectivec/Enums/ORTTensorElementDataType.html
public enum ORTTensorElementDataType: Int, @unchecked Sendable {
    case undefined, float, int8, uInt8, int32, uInt32, int64, uInt64, string
}

/// swift: https://onnxruntime.ai/docs/api/objectivec/Functions.html
public func ORTVersion() -> String? { fatalError() }

/// swift: https://onnxruntime.ai/docs/api/objectivec/Classes/ORTEnv.html
open class ORTEnv: NSObject {
    public init(loggingLevel: ORTLoggingLevel) throws { fatalError() }
}

/// swift: https://onnxruntime.ai/docs/api/objectivec/Classes/ORTSessionOptions.html
open class ORTSessionOptions: NSObject {
    /// In Objective-C it takes only an error, so that `try ORTSessionOptions()` is what Swift has.
    public init(error: Void = ()) throws { fatalError() }
    open func setIntraOpNumThreads(_ intraOpNumThreads: Int32) throws { fatalError() }
    open func addConfigEntry(withKey key: String, value: String) throws { fatalError() }
}

/// swift: https://onnxruntime.ai/docs/api/objectivec/Classes/ORTRunOptions.html
open class ORTRunOptions: NSObject {}

/// swift: https://onnxruntime.ai/docs/api/objectivec/Classes/ORTSession.html
open class ORTSession: NSObject {
    public init(env: ORTEnv, modelPath path: String, sessionOptions: ORTSessionOptions?) throws {
        fatalError()
    }
    open func run(
        withInputs inputs: [String: ORTValue], outputNames: Set<String>,
        runOptions: ORTRunOptions?
    ) throws -> [String: ORTValue] { fatalError() }
    open func outputNames() throws -> [String] { fatalError() }
}

/// swift: https://onnxruntime.ai/docs/api/objectivec/Classes/ORTValue.html
open class ORTValue: NSObject {
    public init(
        tensorData: NSMutableData, elementType: ORTTensorElementDataType, shape: [NSNumber]
    ) throws { fatalError() }
    open func tensorData() throws -> NSMutableData { fatalError() }
}
