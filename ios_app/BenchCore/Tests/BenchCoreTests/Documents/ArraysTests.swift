import Foundation
import Testing

@testable import BenchCore

@Suite struct ArraysTests {
    private let pair = [
        TensorSpec(name: "x", shape: [2]), TensorSpec(name: "mask", shape: [3], dtype: .bool),
    ]

    @Test func everyHalfPrecisionNumberComesBackAsItsBits() {
        let kept = (0...UInt16.max).filter { !halfToDouble($0).isNaN }
        #expect(kept.count == 65_536 - 2 * 1023)
        #expect(kept.map { halfOf(halfToDouble($0)) } == kept)
    }

    @Test func halfPrecisionRoundsToTheEvenNeighbour() {
        #expect(halfOf(1 + 1 / 2048) == 0x3C00)
        #expect(halfOf(1 + 3 / 2048) == 0x3C02)
        #expect(halfOf(65_519.9) == 0x7BFF)
        #expect(halfOf(65_520) == 0x7C00)
        #expect(halfOf(0x1p-14 - 0x1p-26) == 0x0400)
        #expect(halfToDouble(halfOf(.nan)).isNaN)
        #expect(halfOf(-0.0) == 0x8000)
    }

    @Test func batchesLieOneAfterTheOtherInLittleEndianOrder() throws {
        let folder = try TemporaryFolder()
        var bytes: [UInt8] = []
        for batch in 0..<2 {
            for number in [Float(batch) + 0.5, -1] {
                withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes += $0 }
            }
            bytes += [1, 0, UInt8(batch)]
        }
        let file = try folder.write("batches.bin", bytes)
        let batches = try readBatches(file, pair, count: 2)
        #expect(batches.map { $0[0].number(at: 0) } == [0.5, 1.5])
        #expect(batches.map { $0[1].number(at: 2) } == [0, 1])
        let refused = try refusal { _ = try readBatches(file, pair, count: 3) }
        #expect(refused.contains("has 22 bytes"), "\(refused)")
        #expect(refused.contains("have 33"), "\(refused)")
    }

    @Test(arguments: [(DType.int64, -2.0), (.int32, -2), (.int8, -2), (.uint8, 254)])
    func wholeNumbersOfEveryTypeKeepTheirSign(_ dtype: DType, _ number: Double) {
        let bytes = withUnsafeBytes(of: Int64(-2).littleEndian) { Data($0) }
        let tensor = TensorSpec(name: "x", shape: [1], dtype: dtype)
        #expect(TensorArray(tensor, bytes: bytes.prefix(dtype.bytes)).number(at: 0) == number)
    }
}
