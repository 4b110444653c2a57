#if canImport(ObjectiveC)
    import ObjectiveC
#endif

/// Do work, then free what Objective-C has left for later.
///
/// A runtime of Apple leaves objects behind with each inference. On a thread that goes from one
/// inference to the next nothing else frees them, so memory would grow until the run ends.
func freeing<Result>(_ work: () throws -> Result) throws -> Result {
    #if canImport(ObjectiveC)
        return try autoreleasepool { try work() }
    #else
        return try work()
    #endif
}
