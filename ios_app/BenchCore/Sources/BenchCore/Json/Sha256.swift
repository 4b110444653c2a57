/// SHA-256 (FIPS 180-4), of bytes that come in pieces. CryptoKit has it on Apple's systems only.
public struct Sha256: Sendable {
    private var state: [UInt32] = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a,
        0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    /// Bytes that do not fill a block yet.
    private var rest: [UInt8] = []
    private var count: UInt64 = 0

    private static let block = 64

    public init() {}

    /// Add the next bytes.
    public mutating func update(_ bytes: some Sequence<UInt8>) {
        if bytes.withContiguousStorageIfAvailable({ update(buffer: $0) }) == nil {
            Array(bytes).withUnsafeBufferPointer { update(buffer: $0) }
        }
    }

    private mutating func update(buffer: UnsafeBufferPointer<UInt8>) {
        count += UInt64(buffer.count)
        var begin = 0
        if !rest.isEmpty {
            begin = min(Self.block - rest.count, buffer.count)
            rest.append(contentsOf: buffer[..<begin])
            if rest.count < Self.block { return }
            let filled = rest
            filled.withUnsafeBufferPointer { compress($0[...]) }
            rest = []
        }
        while buffer.count - begin >= Self.block {
            compress(buffer[begin..<begin + Self.block])
            begin += Self.block
        }
        rest.append(contentsOf: buffer[begin...])
    }

    /// Return the 32 bytes over everything that was added.
    public func digest() -> [UInt8] {
        var last = self
        let padding = (Self.block * 2 - 9 - Int(count % UInt64(Self.block))) % Self.block
        var end: [UInt8] = [0x80] + Array(repeating: 0, count: padding)
        let bits = count << 3
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            end.append(UInt8(truncatingIfNeeded: bits >> shift))
        }
        last.update(end)
        return last.state.flatMap { word in
            [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) }
        }
    }

    private mutating func compress(_ block: Slice<UnsafeBufferPointer<UInt8>>) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { words in
            schedule(block, words)
            var (a, b, c, d) = (state[0], state[1], state[2], state[3])
            var (e, f, g, h) = (state[4], state[5], state[6], state[7])
            Self.constants.withUnsafeBufferPointer { constants in
                for index in 0..<64 {
                    let one = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)
                    let choice = (e & f) ^ (~e & g)
                    let first = h &+ one &+ choice &+ constants[index] &+ words[index]
                    let zero = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)
                    let second = zero &+ ((a & b) ^ (a & c) ^ (b & c))
                    (h, g, f, e) = (g, f, e, d &+ first)
                    (d, c, b, a) = (c, b, a, first &+ second)
                }
            }
            for (index, value) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= value }
        }
    }

    private func schedule(
        _ block: Slice<UnsafeBufferPointer<UInt8>>, _ words: UnsafeMutableBufferPointer<UInt32>
    ) {
        for index in 0..<16 {
            let at = block.startIndex + index * 4
            words[index] = UInt32(block[at]) << 24 | UInt32(block[at + 1]) << 16
                | UInt32(block[at + 2]) << 8 | UInt32(block[at + 3])
        }
        for index in 16..<64 {
            let (low, high) = (words[index - 15], words[index - 2])
            let zero = turned(low, 7) ^ turned(low, 18) ^ (low >> 3)
            let one = turned(high, 17) ^ turned(high, 19) ^ (high >> 10)
            words[index] = words[index - 16] &+ zero &+ words[index - 7] &+ one
        }
    }

    private func turned(_ word: UInt32, _ bits: UInt32) -> UInt32 {
        word >> bits | word << (32 - bits)
    }

    private static let constants: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4,
        0xab1c_5ed5, 0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe,
        0x9bdc_06a7, 0xc19b_f174, 0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f,
        0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da, 0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7,
        0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967, 0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc,
        0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85, 0xa2bf_e8a1, 0xa81a_664b,
        0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070, 0x19a4_c116,
        0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7,
        0xc671_78f2,
    ]
}

/// Return the SHA-256 of bytes, in small hexadecimal digits.
public func sha256(_ bytes: some Sequence<UInt8>) -> String {
    var digest = Sha256()
    digest.update(bytes)
    return hexadecimal(digest.digest())
}

/// Return bytes in small hexadecimal digits.
public func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let pairs = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: pairs, as: UTF8.self)
}

/// Return the bytes that hexadecimal digits stand for, or nil where the text is none.
public func bytes(hexadecimal: String) -> [UInt8]? {
    let digits = hexadecimal.utf8.map(hexadecimalDigit)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
        guard let high = digits[index], let low = digits[index + 1] else { return nil }
        bytes.append(high << 4 | low)
    }
    return bytes
}

func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
