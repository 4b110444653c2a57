import BenchCore

/// Answers the tasks of each kind; nil is an answer that this program cannot give.
private let kinds: [String: @Sendable (JsonObject) throws -> Json?] = [
    "protocol": answerProtocol,
    "engine": answerEngine,
    "stats": answerStats,
    "headline": answerHeadline,
    "job": answerJob,
    "journal": answerJournal,
    "record": answerRecord,
    "signature": answerSignature,
    "evidence": answerEvidence,
    "diagnoses": answerDiagnoses,
    "thermal": answerThermal,
]

/// Answers the tasks on standard input, one on each line; see the contract of a device.
@main
enum Main {
    static func main() throws {
        while let line = readLine() {
            if line.allSatisfy(\.isWhitespace) { continue }
            print(try answered(readJson(line, "the task").asObject))
        }
    }

    private static func answered(_ task: JsonObject) throws -> String {
        var answered = JsonObject([("id", task["id"]!)])
        do {
            if let answer = try kinds[task.text("kind")]?(task.part("given")) {
                answered["answer"] = answer
            } else {
                answered["unsupported"] = .bool(true)
            }
        } catch let refusal as DocumentRefused {
            answered["answer"] = .object(JsonObject([("refused", .text(refusal.message))]))
        }
        return answered.text
    }
}
