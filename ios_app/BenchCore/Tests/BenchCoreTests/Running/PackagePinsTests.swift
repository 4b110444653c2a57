import Foundation
import Testing

@testable import BenchCore

@Suite struct PackagePinsTests {
    private func version(_ state: String) throws -> String? {
        let text = """
            {"originHash": "c0", "pins": [{"identity": "executorch",
            "kind": "remoteSourceControl", "location": "https://github.com/pytorch/executorch",
            "state": \(state)}], "version": 3}
            """
        return try PackagePins(Data(text.utf8)).version(of: "executorch")
    }

    @Test(arguments: [
        (#"{"branch": "swiftpm-1.0.1", "revision": "ab12"}"#, "1.0.1"),
        (#"{"branch": "swiftpm-1.1.0.20251101", "revision": "ab12"}"#, "1.1.0.20251101"),
        (#"{"branch": "main", "revision": "ab12"}"#, "ab12"),
        (#"{"branch": "swiftpm-latest", "revision": "ab12"}"#, "ab12"),
        (#"{"revision": "ab12"}"#, "ab12"),
        (#"{"revision": "ab12", "version": "1.24.2"}"#, "1.24.2"),
    ])
    func theVersionIsThatOfTheReleaseElseTheRevision(_ state: String, _ expected: String) throws {
        #expect(try version(state) == expected)
    }

    @Test func aPackageThatIsNotThereHasNoVersion() throws {
        let none = try PackagePins(Data(#"{"pins": [], "version": 3}"#.utf8))
        #expect(none.version(of: "executorch") == nil)
    }

    @Test(arguments: ["", "{}", #"{"pins": [{"package": "ExecuTorch"}]}"#])
    func anotherFileIsRefused(_ text: String) {
        #expect(throws: Refused.self) { try PackagePins(Data(text.utf8)) }
    }
}
