import Testing

@testable import BenchCore

@Suite struct JsonTextTests {
    /// From appendix B of RFC 8785, and numbers that simpler rules get wrong.
    private static let numbers: [(Double, String)] = [
        (0, "0"), (-0.0, "0"), (.leastNonzeroMagnitude, "5e-324"),
        (-Double.leastNonzeroMagnitude, "-5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740992, "9007199254740992"),
        (295147905179352825856, "295147905179352830000"),
        (9.999999999999997e22, "9.999999999999997e+22"), (1e23, "1e+23"),
        (1.0000000000000001e23, "1.0000000000000001e+23"),
        (999999999999999737856, "999999999999999700000"),
        (999999999999999868928, "999999999999999900000"), (1e21, "1e+21"),
        (9.999999999999997e-7, "9.999999999999997e-7"), (0.000001, "0.000001"),
        (333333333.3333332, "333333333.3333332"), (333333333.33333325, "333333333.33333325"),
        (-0.0000033333333333333333, "-0.0000033333333333333333"),
        (1424953923781206.2, "1424953923781206.2"), (2e-3, "0.002"), (1e7, "10000000"),
        // Two to the minus 44: the closest number of 16 digits is another double.
        (5.684341886080802e-14, "5.684341886080802e-14"),
        (2.2250738585072014e-308, "2.2250738585072014e-308"), (4.35, "4.35"), (2.0e22, "2e+22"),
        (1.0e23 / 3, "3.333333333333333e+22"), (100, "100"), (123.25, "123.25"),
    ]

    @Test func numbersAreWrittenAsEcmaScriptWritesThem() {
        for (number, text) in Self.numbers { #expect(ecmaScript(number) == text) }
    }

    @Test func everyNumberIsReadAgainAsItWas() {
        var bits: UInt64 = 1
        var wrong: [Double] = []
        for _ in 0..<20_000 {
            // Numbers of every size (Knuth's linear congruential generator).
            bits = bits &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let number = Double(bitPattern: bits)
            if number.isFinite, Double(ecmaScript(number)) != number { wrong.append(number) }
        }
        #expect(wrong.isEmpty)
    }

    @Test func aNumberThatIsNotWholeHasAPointButInTheCanonicalForm() throws {
        let read = try readJson("[1.0, 1e2, 0.5, 1e21, 2]")
        #expect(read.text == "[1.0,100.0,0.5,1e+21,2]")
        #expect(read.canonical == "[1,100,0.5,1e+21,2]")
    }

    @Test func theCanonicalFormHasItsKeysInTheOrderOfUtf16Units() throws {
        let text = "{\"\u{FB33}\":1,\"\u{1F600}\":2,\"\u{20AC}\":3,\"\\r\":4,\"1\":5}"
        let sorted = "{\"\\r\":4,\"1\":5,\"\u{20AC}\":3,\"\u{1F600}\":2,\"\u{FB33}\":1}"
        #expect(try readJson(text).canonical == sorted)
    }

    @Test func whatPeopleSeeIsShort() {
        #expect(shown(String(repeating: "a", count: 100)).count == 63)
        #expect(shown("a\"") == "\"a\\\"\"")
    }

    @Test func hexadecimalDigitsAreReadInEitherCaseAndNothingElseIs() {
        #expect(hexadecimal([0, 255, 127]) == "00ff7f")
        #expect(bytes(hexadecimal: "00Ff") == [0, 255])
        for text in ["0", "0g", "\u{661}\u{661}", "+1", " 11 "] {
            #expect(bytes(hexadecimal: text) == nil)
        }
    }
}
