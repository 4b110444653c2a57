import XCTest

@testable import BenchCore

/// By XCTest, for who runs the tests with an older tool.
final class Sha256Tests: XCTestCase {
    /// From FIPS 180-4's examples, and of a million times "a".
    func testKnownMessagesHaveTheirDigests() {
        let million = repeatElement(UInt8(ascii: "a"), count: 1_000_000)
        let twoBlocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
        XCTAssertEqual(
            sha256([]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        XCTAssertEqual(
            sha256("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        XCTAssertEqual(
            sha256(twoBlocks.utf8),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        XCTAssertEqual(
            sha256(million), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    func testPiecesOfAnySizeMakeTheSameDigest() {
        let message = (0..<300).map { UInt8(truncatingIfNeeded: $0 * 7) }
        for size in [1, 3, 55, 56, 63, 64, 65, 128, 299] {
            var digest = Sha256()
            for begin in stride(from: 0, to: message.count, by: size) {
                digest.update(message[begin..<min(begin + size, message.count)])
            }
            XCTAssertEqual(
                hexadecimal(digest.digest()), sha256(message), "in pieces of \(size)")
        }
    }

    /// The padding takes another block from 56 bytes on, and each length has its own digest.
    func testEveryLengthAroundABlockHasAnotherDigest() {
        let digests = (0..<200).map { sha256(repeatElement(0, count: $0)) }
        XCTAssertEqual(Set(digests).count, 200)
    }
}
