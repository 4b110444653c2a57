import Foundation

/// Draw inputs to time a network with.
///
/// Floats are standard normal, as in a normalised image; pixels (uint8) are 0 to 255; the rest is 0
/// or 1, which every index and mask allows. Python draws other numbers from the same seed.
public func noise(_ inputs: [TensorSpec], seed: Int) -> [TensorArray] {
    var random = SplitMix(state: UInt64(bitPattern: Int64(seed)))
    return inputs.map { draw($0, &random) }
}

private func draw(_ tensor: TensorSpec, _ random: inout SplitMix) -> TensorArray {
    var bytes = Data(capacity: tensor.bytes)
    for _ in 0..<tensor.elements {
        switch tensor.dtype {
        case .float32: bytes.append(elements: Float(random.normal()).bitPattern)
        case .float16: bytes.append(elements: halfOf(random.normal()))
        case .uint8: bytes.append(UInt8(truncatingIfNeeded: random.next()))
        case .int8, .bool: bytes.append(random.bit())
        case .int32: bytes.append(elements: Int32(random.bit()))
        case .int64: bytes.append(elements: Int64(random.bit()))
        }
    }
    return TensorArray(tensor, bytes: bytes)
}

/// A small generator whose numbers are the same on every device (Steele et al., 2014).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// 0 or 1.
    mutating func bit() -> UInt8 { UInt8(next() >> 63) }

    /// Draw from the standard normal distribution, by the polar method of Marsaglia.
    mutating func normal() -> Double {
        while true {
            let one = Double.random(in: -1...1, using: &self)
            let other = Double.random(in: -1...1, using: &self)
            let radius = one * one + other * other
            if radius > 0 && radius < 1 { return one * (-2 * log(radius) / radius).squareRoot() }
        }
    }
}
