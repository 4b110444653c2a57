import Foundation
import Testing

@testable import BenchCore

@Suite struct ConvertTests {
    private func array(_ values: [Float], shape: [Int]) -> TensorArray {
        var bytes = Data()
        for value in values { bytes.append(elements: value.bitPattern) }
        return TensorArray(TensorSpec(name: "x", shape: shape), bytes: bytes)
    }

    private func numbers(_ array: TensorArray) -> [Double] {
        (0..<array.tensor.elements).map { array.number(at: $0) }
    }

    @Test(arguments: [DType.float32, .float16, .int32, .int64])
    func numbersThatATypeHoldsStayAsTheyAre(dtype: DType) {
        let given = array([-2, 0, 1, 250], shape: [4])
        let there = given.converted(to: dtype)
        #expect(there.tensor.dtype == dtype)
        #expect(numbers(there) == [-2, 0, 1, 250])
        #expect(there.converted(to: .float32) == given)
    }

    @Test func whatATypeDoesNotHoldIsCutToItsRange() {
        let given = array([-5, 3.6, 300, .nan], shape: [4])
        #expect(numbers(given.converted(to: .uint8)) == [0, 4, 255, 0])
        #expect(numbers(given.converted(to: .int8)) == [-5, 4, 127, 0])
    }

    @Test func planesOfRedGreenAndBlueBecomePixelsWithRowsThatBeginWhereTheyShould() {
        let image = array([1, 2, 3, 4, 5, 6], shape: [1, 3, 1, 2])
        #expect(image.bgraRows(rowBytes: 12) == [5, 3, 1, 255, 6, 4, 2, 255, 0, 0, 0, 0])
    }

    @Test func anArrayWithGapsIsGatheredRowByRow() {
        let padded: [UInt8] = [1, 2, 0, 0, 3, 4, 0, 0]
        let straight = padded.withUnsafeBytes {
            gathered($0, shape: [2, 2], strides: [4, 1], elementBytes: 1)
        }
        #expect(Array(straight) == [1, 2, 3, 4])
        let turned = padded.withUnsafeBytes {
            gathered($0, shape: [2, 2], strides: [1, 4], elementBytes: 1)
        }
        #expect(Array(turned) == [1, 3, 2, 4])
    }

    @Test func theErrorIsTheLargestDifferenceOverTheLargestExpectedValue() {
        let expected = array([1, -4], shape: [2])
        #expect(relativeError(expected, array([1, -3], shape: [2])) == 0.25)
        #expect(relativeError(expected, array([.infinity, -4], shape: [2])) == nil)
        #expect(relativeError(array([0, 0], shape: [2]), array([0, 0.5], shape: [2])) == 0.5)
    }

    @Test func noiseIsTheSameForASeedAndHasTheSpreadThatIsSaid() {
        let spec = TensorSpec(name: "x", shape: [10_000])
        let drawn = noise([spec], seed: 1)[0]
        #expect(drawn == noise([spec], seed: 1)[0])
        #expect(drawn != noise([spec], seed: 2)[0])
        let values = numbers(drawn)
        let mean = values.reduce(0, +) / 10_000
        let spread = values.reduce(0) { $0 + $1 * $1 } / 10_000
        // Of 10,000 draws, the mean is within 0.05 (five standard errors) for this seed.
        #expect(abs(mean) < 0.05)
        #expect(abs(spread - 1) < 0.1)
    }
}
