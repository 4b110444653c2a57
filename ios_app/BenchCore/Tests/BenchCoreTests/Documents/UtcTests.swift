import Foundation
import Testing

@testable import BenchCore

@Suite struct UtcTests {
    @Test func aTimeIsWrittenInMilliseconds() {
        #expect(utc(Date(timeIntervalSince1970: 0)) == "1970-01-01T00:00:00.000Z")
        #expect(utc(Date(timeIntervalSince1970: 951_782_400.25)) == "2000-02-29T00:00:00.250Z")
        #expect(utc(Date(timeIntervalSince1970: 1_767_323_045.5)) == "2026-01-02T03:04:05.500Z")
        #expect(utc(Date(timeIntervalSince1970: -0.5)) == "1969-12-31T23:59:59.500Z")
    }

    @Test func whatIsWrittenIsReadAgain() throws {
        // Every seventh day of four centuries, at another time of the day.
        for day in stride(from: -100_000, to: 46_097, by: 7) {
            let seconds = day * 86_400 + (day & 0x3FF) * 61
            let text = utc(Date(timeIntervalSince1970: Double(seconds)))
            #expect(try #require(Utc(text)).seconds == seconds)
        }
    }

    @Test func fractionsOfASecondHaveUpToNineDigits() throws {
        #expect(try #require(Utc("2026-01-02T03:04:05Z")).nanoseconds == 0)
        #expect(try #require(Utc("2026-01-02T03:04:05.5Z")).nanoseconds == 500_000_000)
        #expect(try #require(Utc("2026-01-02T03:04:05.000000001Z")).nanoseconds == 1)
    }

    @Test(arguments: [
        "", "Z", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02T03:04:05+00:00",
        "2026-13-02T03:04:05Z", "2026-02-29T03:04:05Z", "2026-01-02T24:00:00Z",
        "2026-01-02T03:60:05Z", "2026-01-02T03:04:60Z", "2026-01-02 03:04:05Z",
        "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05.1234567890Z", "0000-01-02T03:04:05Z",
        "2026-01-02t03:04:05z", "2026-1-2T03:04:05Z",
    ])
    func anotherTextIsNoTime(_ text: String) {
        #expect(Utc(text) == nil)
    }
}
