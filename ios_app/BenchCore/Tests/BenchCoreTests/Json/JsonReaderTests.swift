import Testing

@testable import BenchCore

@Suite struct JsonReaderTests {
    private static let foreign = [
        "", " ", "nul", "'a'", "{a: 1}", "{\"a\"}", "{\"a\" 1}", "{\"a\": 1,}", "[1,]", "[1 2]",
        "[", "]", "{", "\"", "01", "+1", "-", ".5", "1.", "1e", "0x1", "NaN", "-Infinity", "1 2",
        "[] x", "/* a */ 1", "# a\n1", "\"\\x\"", "\"\\u12\"", "\"\\u12G4\"", "\"a\nb\"",
        "\"\u{0}\"", "{\"a\": NaN}", String(repeating: "[", count: 100_000),
        String(repeating: "{\"a\":", count: 100_000), "\u{FEFF}", "\u{A0}1", "tru\u{65}\u{301}",
    ]

    @Test func whatIsNotJsonIsRefusedAsThat() throws {
        for text in Self.foreign {
            let error = try thrown(DocumentRefused.self) { _ = try readJson(text, "the job") }
            #expect(error.isNotJson)
            #expect(error.message.hasPrefix("the job is not JSON"), "\(error)")
        }
    }

    @Test func aRefusalNamesThePlace() throws {
        let sentence = try refusal { _ = try readJson("{\"a\": 1,\n \"é\": ?}") }
        #expect(sentence.contains("from line 2, column 7 on"), "\(sentence)")
    }

    @Test func nestingEndsAt200Levels() throws {
        func nested(_ levels: Int) -> String {
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        _ = try readJson(nested(200))
        #expect(try refusal { _ = try readJson(nested(201)) }.contains("200 levels"))
    }

    @Test func bytesThatAreNotUtf8AreRefused() throws {
        for bytes: [UInt8] in [[0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE9], [0xFE, 0xFF, 0, 0x7B]] {
            let error = try thrown(DocumentRefused.self) {
                _ = try readJson([0x22] + bytes + [0x22])
            }
            #expect(error.isNotJson)
        }
    }

    @Test func halfOfASurrogatePairIsNoText() throws {
        let halves = ["\\ud800", "\\udc00", "\\ud800\\ud800", "\\udc00\\ud800", "a\\ud800b"]
        for half in halves {
            for text in ["\"\(half)\"", "{\"\(half)\": 1}"] {
                let error = try thrown(DocumentRefused.self) { _ = try readJson(text) }
                #expect(!error.isNotJson)
            }
        }
        #expect(try readJson("\"\\ud83d\\udcf1\"") == .text("\u{1F4F1}"))
    }

    @Test func wholeNumbersEndBefore2ToThe53() throws {
        #expect(try readJson("9007199254740991") == .int(9_007_199_254_740_991))
        #expect(try readJson("-9007199254740991") == .int(-9_007_199_254_740_991))
        #expect(try readJson("-0") == .int(0))
        let long = String(repeating: "1", count: 100_000)
        for number in ["9007199254740992", "-9007199254740992", long] {
            let sentence = try refusal { _ = try readJson(number) }
            #expect(sentence.contains("2^53"))
            #expect(sentence.count < 200)
        }
    }

    @Test func aNumberWithAPointOrAnExponentIsNotWhole() throws {
        #expect(try readJson("1.0") == .double(1))
        #expect(try readJson("1e3") == .double(1000))
        #expect(try readJson("1E+3") == .double(1000))
        #expect(try readJson("1e-999") == .double(0))
        #expect(try readJson("4.9e-324") == .double(.leastNonzeroMagnitude))
        guard case .double(let zero) = try readJson("-0.0") else { throw Refused("no double") }
        #expect(zero.sign == .minus)
        #expect(try refusal { _ = try readJson("1e999") }.contains("not a finite number"))
    }

    @Test func ofAFieldThatIsThereTwiceTheLastOneCounts() throws {
        let read = try readJson("{\"a\": 1, \"b\": 2, \"a\": 3}").asObject
        #expect(read["a"] == .int(3))
        #expect(read.names == ["a", "b"])
    }

    @Test func twoWaysToWriteAnAccentAreTwoFields() throws {
        let read = try readJson("{\"\u{E9}\": 1, \"e\u{301}\": 2}").asObject
        #expect(read.count == 2)
        #expect(read["\u{E9}"] == .int(1))
        #expect(read["e\u{301}"] == .int(2))
    }

    @Test func manyFieldsAreFoundAsFewAre() throws {
        let pairs = (0..<3000).map { "\"f\($0)\":\($0)" } + ["\"f7\":-7"]
        var read = try readJson("{\(pairs.joined(separator: ","))}").asObject
        #expect(read.count == 3000)
        #expect(read["f7"] == .int(-7))
        #expect(read["f2999"] == .int(2999))
        read["f0"] = nil
        #expect(read["f0"] == nil)
        #expect(read["f2999"] == .int(2999))
        for name in read.names.dropLast(5) { read[name] = nil }
        #expect(read.names == (2995..<3000).map { "f\($0)" })
        #expect(read["f2996"] == .int(2996))
    }

    @Test func aMarkOfTheByteOrderBeforeTheTextIsPassedOver() throws {
        #expect(try readJson("\u{FEFF}[]") == .list([]))
    }

    @Test func fieldsKeepTheirOrder() throws {
        let text = "{\"z\":1,\"a\":[true,null,\"\u{2028}/\"],\"m\":{}}"
        #expect(try readJson(text).text == text)
    }

    @Test func aLineFeedAfterACarriageReturnIsTwoCharacters() throws {
        #expect(try readJson("{\r\n\"a\"\r\n:\r\n1\r\n}\r\n") == readJson("{\"a\":1}"))
        #expect(Json.text("\r\n").text == "\"\\r\\n\"")
    }
}
