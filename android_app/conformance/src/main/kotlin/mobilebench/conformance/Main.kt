package mobilebench.conformance

import java.io.PrintStream
import kotlin.system.exitProcess
import mobilebench.core.json.DocumentRefused
import mobilebench.core.json.Json
import mobilebench.core.json.JsonBool
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText
import mobilebench.core.json.readJson
import mobilebench.core.json.text

/** What answers the tasks of each kind; null is an answer that this program cannot give. */
private val KINDS: Map<String, (JsonObject) -> Json?> = mapOf(
    "protocol" to Protocol::answer,
    "engine" to Engine::answer,
    "stats" to Stats::answer,
    "headline" to Headline::answer,
    "job" to Job::answer,
    "journal" to Journal::answer,
    "record" to Record::answer,
    "signature" to Signature::answer,
    "evidence" to Evidence::answer,
    "diagnoses" to Diagnoses::answer,
    "thermal" to Thermal::answer,
)

/**
 * Answer the tasks on standard input, one on each line; see the contract of a device.
 *
 * With `server` as the first argument, work for a server instead; see [workForServer].
 */
fun main(arguments: Array<String>) {
    if (arguments.firstOrNull() == "server") exitProcess(workForServer(arguments.drop(1)))
    val out = PrintStream(System.out, false, "UTF-8")
    System.`in`.bufferedReader().forEachLine { line ->
        if (line.isNotBlank()) out.print(answered(readJson(line, "the task") as JsonObject) + "\n")
    }
    out.flush()
}

private fun answered(task: JsonObject): String {
    val kind = (task["kind"] as JsonText).value
    val answer = try {
        KINDS[kind]?.invoke(task["given"] as JsonObject)
    } catch (refusal: DocumentRefused) {
        JsonObject(mapOf("refused" to JsonText(refusal.message.orEmpty())))
    }
    val given = if (answer == null) "unsupported" to JsonBool(true) else "answer" to answer
    return JsonObject(mapOf("id" to task.fields.getValue("id"), given)).text()
}
