import Testing

@testable import BenchCore

@Suite struct TensorTests {
    @Test func aTensorIsAsLargeAsItsElements() {
        let tensor = TensorSpec(name: "x", shape: [1, 3, 4, 4], dtype: .float16)
        #expect(tensor.elements == 48)
        #expect(tensor.bytes == 96)
        #expect("\(tensor)" == "x 1x3x4x4 float16")
        #expect("\(TensorSpec(name: "y", shape: []))" == "y scalar float32")
    }
}
