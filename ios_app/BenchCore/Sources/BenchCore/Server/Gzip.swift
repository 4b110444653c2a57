/// Packs bytes in the way of RFC 1951, without a header.
///
/// Foundation has it on Apple's systems only.
public typealias Deflate = @Sendable ([UInt8]) throws -> [UInt8]

/// Pack bytes as `gzip` does (RFC 1952).
public func gzip(_ content: [UInt8], _ deflate: Deflate) throws -> [UInt8] {
    let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]
    let end = littleEndian(crc32(content)) + littleEndian(UInt32(truncatingIfNeeded: content.count))
    return try header + deflate(content) + end
}

private func littleEndian(_ word: UInt32) -> [UInt8] {
    [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) }
}

/// Return the checksum of RFC 1952, section 8.
func crc32(_ content: [UInt8]) -> UInt32 {
    ~content.reduce(UInt32.max) { sum, byte in
        table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ (sum >> 8)
    }
}

private let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { word, _ in
        word & 1 == 1 ? 0xEDB8_8320 ^ (word >> 1) : word >> 1
    }
}
