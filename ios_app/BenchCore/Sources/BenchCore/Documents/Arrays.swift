import Foundation

/// The elements of a tensor, little-endian and without gaps.
public struct TensorArray: Hashable, Sendable {
    public let tensor: TensorSpec
    public var bytes: Data

    /// Make an array of zeros, or one of given bytes, as many as the tensor has.
    public init(_ tensor: TensorSpec, bytes: Data? = nil) {
        self.tensor = tensor
        self.bytes = bytes ?? Data(count: tensor.bytes)
        precondition(self.bytes.count == tensor.bytes, "\(tensor) has other bytes")
    }

    /// Return the number at an index, whatever its type.
    public func number(at index: Int) -> Double {
        switch tensor.dtype {
        case .float32: Double(Float(bitPattern: element(index)))
        case .float16: halfToDouble(element(index))
        case .int8: Double(element(index) as Int8)
        case .uint8, .bool: Double(element(index) as UInt8)
        case .int32: Double(element(index) as Int32)
        case .int64: Double(element(index) as Int64)
        }
    }

    private func element<Element: FixedWidthInteger>(_ index: Int) -> Element {
        let offset = index * MemoryLayout<Element>.size
        let value = bytes.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: offset, as: Element.self)
        }
        return Element(littleEndian: value)
    }
}

/// Require that a file has the size of batches of plain arrays. Throws `DocumentRefused`.
func requireBatches(_ file: URL, _ tensors: [TensorSpec], count: Int) throws {
    let (needed, overflows) = tensors.reduce(0) { $0 + $1.bytes }
        .multipliedReportingOverflow(by: count)
    let bytes = fileSize(file)
    if !overflows, bytes == needed { return }
    let names = tensors.map(\.description).joined(separator: ", ")
    throw DocumentRefused(
        "\(file.lastPathComponent) has \(bytes) bytes, and \(count) batches of \(names) have "
            + "\(overflows ? "more than a file can" : "\(needed)"); copy it again."
    )
}

/// Read batches of plain arrays: batch after batch, in each the tensors in their order.
///
/// Throws `DocumentRefused` for a file of another size, and one that cannot be read.
public func readBatches(
    _ file: URL, _ tensors: [TensorSpec], count: Int
) throws -> [[TensorArray]] {
    try requireBatches(file, tensors, count: count)
    let content: Data
    do {
        content = try Data(contentsOf: file)
    } catch {
        throw DocumentRefused(
            "\(file.lastPathComponent) cannot be read: \(error.localizedDescription)"
        )
    }
    var place = 0
    return (0..<count).map { _ in
        tensors.map { tensor in
            defer { place += tensor.bytes }
            return TensorArray(tensor, bytes: Data(content[place..<place + tensor.bytes]))
        }
    }
}

/// Return the value of a number in IEEE 754's half precision.
///
/// Swift's own half is not on Macs with Intel processors, where the tests run too.
public func halfToDouble(_ bits: UInt16) -> Double {
    let exponent = Int(bits >> 10 & 0x1F)
    let fraction = Double(bits & 0x3FF)
    let size: Double =
        switch exponent {
        case 0: fraction * 0x1p-24
        case 0x1F: fraction == 0 ? .infinity : .nan
        default: Double(sign: .plus, exponent: exponent - 25, significand: fraction + 0x400)
        }
    return bits & 0x8000 == 0 ? size : -size
}

/// Return the nearest number in half precision, as its bits; ties go to the even one.
public func halfOf(_ number: Double) -> UInt16 {
    let sign: UInt16 = number.sign == .minus ? 0x8000 : 0
    let size = number.magnitude
    if number.isNaN { return 0x7E00 }
    if size >= 65_520 { return sign | 0x7C00 }
    // Below 2^-14 the steps are 2^-24 wide. The carry into the exponent is right by itself.
    if size < 0x1p-14 { return sign | UInt16((size * 0x1p24).rounded(.toNearestOrEven)) }
    let exponent = Int(size.exponent)
    let steps = Double(sign: .plus, exponent: 10 - exponent, significand: size)
    let fraction = Int(steps.rounded(.toNearestOrEven))
    return sign | UInt16((exponent + 15) << 10 + fraction - 0x400)
}
