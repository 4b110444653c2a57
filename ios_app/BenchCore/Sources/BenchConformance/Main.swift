import BenchCore
import Foundation

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
///
/// With `server` as the first argument, it works for a server instead; see `SimulatedPhone`.
@main
enum Main {
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "server" {
            exit(await SimulatedPhone.main(Array(arguments.dropFirst())))
        }
        answerTasks()
    }

    private static func answerTasks() {
        var number = 0
        do {
            while let line = readLine() {
                number += 1
                if line.allSatisfy(\.isWhitespace) { continue }
                print(try answered(task(line, "task \(number)")))
            }
        } catch {
            FileHandle.standardError.write(Data("\(words(of: error))\n".utf8))
            exit(2)
        }
    }

    private static func task(_ line: String, _ name: String) throws -> JsonObject {
        guard case .object(let task) = try readJson(line, name), task["id"] != nil,
            case .text = task["kind"], case .object = task["given"]
        else {
            throw DocumentRefused(
                "\(name) has not the keys id, kind and given; take tasks from mobilebench "
                    + "conformance --tasks FILE.")
        }
        return task
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
