import Foundation

// Arrays between the form of documents and that of libraries.

extension TensorArray {
    /// Return the array with its numbers in another type; whole ones are rounded and cut to fit.
    public func converted(to dtype: DType) -> TensorArray {
        if dtype == tensor.dtype { return self }
        let spec = TensorSpec(name: tensor.name, shape: tensor.shape, dtype: dtype)
        var bytes = Data(capacity: spec.bytes)
        for index in 0..<tensor.elements {
            let value = number(at: index)
            switch dtype {
            case .float32: bytes.append(elements: Float(value).bitPattern)
            case .float16: bytes.append(elements: halfOf(value))
            case .int8: bytes.append(elements: whole(value) as Int8)
            case .uint8: bytes.append(elements: whole(value) as UInt8)
            case .int32: bytes.append(elements: whole(value) as Int32)
            case .int64: bytes.append(elements: whole(value) as Int64)
            case .bool: bytes.append(value == 0 ? 0 : 1)
            }
        }
        return TensorArray(spec, bytes: bytes)
    }

    /// Return an image of planes (1, 3, H, W) in red, green and blue as rows of pixels in BGRA.
    ///
    /// `rowBytes` is how far one row begins after the one before; what lies between is 0.
    public func bgraRows(rowBytes: Int) -> [UInt8] {
        precondition(tensor.shape.count == 4 && tensor.shape[1] == 3, "an image has three planes")
        let planes = [UInt8](converted(to: .uint8).bytes)
        let (height, width) = (tensor.shape[2], tensor.shape[3])
        precondition(rowBytes >= 4 * width, "a row holds its pixels")
        var rows = [UInt8](repeating: 0, count: rowBytes * height)
        let plane = width * height
        for y in 0..<height {
            for x in 0..<width {
                let from = y * width + x
                let to = y * rowBytes + 4 * x
                rows[to] = planes[2 * plane + from]
                rows[to + 1] = planes[plane + from]
                rows[to + 2] = planes[from]
                rows[to + 3] = 255
            }
        }
        return rows
    }
}

private func whole<Whole: FixedWidthInteger>(_ value: Double) -> Whole {
    if value.isNaN { return 0 }
    return Whole(exactly: value.rounded()) ?? (value < 0 ? .min : .max)
}

extension Data {
    /// Append a number as little-endian bytes.
    mutating func append(elements bits: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: bits.littleEndian) { append(contentsOf: $0) }
    }
}

/// Return the elements of an array with gaps, row by row without any.
///
/// `strides` are in elements, one for each size in `shape`, as libraries give them.
public func gathered(
    _ bytes: UnsafeRawBufferPointer, shape: [Int], strides: [Int], elementBytes: Int
) -> Data {
    precondition(shape.count == strides.count, "each size has a stride")
    let count = shape.reduce(1, *)
    var result = Data(capacity: count * elementBytes)
    var index = [Int](repeating: 0, count: shape.count)
    for _ in 0..<count {
        let from = zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 } * elementBytes
        result.append(contentsOf: bytes[from..<from + elementBytes])
        for axis in shape.indices.reversed() {
            index[axis] += 1
            if index[axis] < shape[axis] { break }
            index[axis] = 0
        }
    }
    return result
}
