// Arrays between the form of documents and that of libraries.

/// Return an array with its numbers in another type; whole numbers are rounded and cut to its range.
public func converted(_ array: [UInt8], from: DType, to: DType) -> [UInt8] {
    if from == to { return array }
    let count = array.count / from.bytes
    var result: [UInt8] = []
    result.reserveCapacity(count * to.bytes)
    for index in 0..<count {
        let value = number(in: array, at: index, from)
        switch to {
        case .float32: append(Float(value).bitPattern, to: &result)
        case .float16: append(halfBits(value), to: &result)
        case .int8: append(whole(value, as: Int8.self), to: &result)
        case .uint8: append(whole(value, as: UInt8.self), to: &result)
        case .int32: append(whole(value, as: Int32.self), to: &result)
        case .int64: append(whole(value, as: Int64.self), to: &result)
        case .bool: result.append(value == 0 ? 0 : 1)
        }
    }
    return result
}

private func whole<Whole: FixedWidthInteger>(_ value: Double, as type: Whole.Type) -> Whole {
    if value.isNaN { return 0 }
    return Whole(exactly: value.rounded()) ?? (value < 0 ? .min : .max)
}

func append(_ bits: some FixedWidthInteger, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: bits.littleEndian) { bytes.append(contentsOf: $0) }
}

/// Return an image of planes (3, H, W) in red, green and blue as rows of pixels in BGRA.
///
/// `rowBytes` is how far one row begins after the one before; what lies between is 0.
public func bgraRows(_ planes: [UInt8], width: Int, height: Int, rowBytes: Int) -> [UInt8] {
    precondition(planes.count == 3 * width * height, "an image has three planes")
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

/// Return the elements of an array with gaps, row by row without any.
///
/// `strides` are in elements, one for each size in `shape`, as libraries give them.
public func gathered(
    _ bytes: UnsafeRawBufferPointer, shape: [Int], strides: [Int], elementBytes: Int
) -> [UInt8] {
    precondition(shape.count == strides.count, "each size has a stride")
    let count = shape.reduce(1, *)
    var result = [UInt8](repeating: 0, count: count * elementBytes)
    var index = [Int](repeating: 0, count: shape.count)
    for element in 0..<count {
        let from = zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 } * elementBytes
        for byte in 0..<elementBytes {
            result[element * elementBytes + byte] = bytes[from + byte]
        }
        for axis in shape.indices.reversed() {
            index[axis] += 1
            if index[axis] < shape[axis] { break }
            index[axis] = 0
        }
    }
    return result
}
