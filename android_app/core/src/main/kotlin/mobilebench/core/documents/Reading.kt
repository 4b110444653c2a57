package mobilebench.core.documents

import mobilebench.core.json.DocumentRefused
import mobilebench.core.json.Json
import mobilebench.core.json.JsonObject
import mobilebench.core.json.Schema

// Parts of a record that stand alone, as the tasks of a conformance check hold them. All throw
// DocumentRefused as the reading of a whole record does.

/** Read a protocol. Throws [DocumentRefused]. */
fun protocolOf(json: Json): Protocol = alone("Protocol", json, ::readProtocol)

/** Read the limits of a job. Throws [DocumentRefused]. */
fun limitsOf(json: Json): Limits = alone("Limits", json, ::readLimits)

/** Read a policy. Throws [DocumentRefused]. */
fun policyOf(json: Json): Policy = alone("Policy", json, ::readPolicy)

/** Read a device. Throws [DocumentRefused]. */
fun deviceOf(json: Json): Device = alone("Device", json, ::readDevice)

/** Read the state of a device. Throws [DocumentRefused]. */
fun stateOf(json: Json): DeviceState = alone("DeviceState", json, ::readState)

/** Read columns of samples. Throws [DocumentRefused]. */
fun samplesOf(json: Json): Samples = alone("Samples", json, ::readSamples)

/** Read a measurement. Throws [DocumentRefused]. */
fun measurementOf(json: Json): Measurement = alone("Measurement", json, ::readMeasurement)

private val record: JsonObject by lazy {
    resource("mobilebench/schema/record.v$RECORD_VERSION.json") as JsonObject
}
private val schemas = HashMap<String, Schema>()

private fun <T> alone(name: String, json: Json, read: (JsonObject) -> T): T {
    val schema = synchronized(schemas) { schemas.getOrPut(name) { schemaOf(name) } }
    return refusing(name) { read(schema.read(json)) }
}

/** Return the schema of a part, with everything that the whole record defines. */
private fun schemaOf(name: String): Schema {
    val defined = record["\$defs"] as JsonObject
    val part = defined[name] as JsonObject
    return Schema(JsonObject(part.fields + ("\$defs" to defined)), DocumentRules)
}
