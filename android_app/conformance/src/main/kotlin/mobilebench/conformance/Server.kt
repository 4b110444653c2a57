package mobilebench.conformance

import java.io.File
import java.io.IOException
import java.nio.ByteBuffer
import mobilebench.core.documents.Application
import mobilebench.core.documents.Build
import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.Device
import mobilebench.core.documents.DeviceKind
import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Format
import mobilebench.core.documents.PlacedOperation
import mobilebench.core.documents.Power
import mobilebench.core.documents.Refused
import mobilebench.core.documents.Scheduling
import mobilebench.core.documents.TensorSpec
import mobilebench.core.documents.ThermalState
import mobilebench.core.documents.deviceKey
import mobilebench.core.documents.readJobFolder
import mobilebench.core.engine.EventLog
import mobilebench.core.engine.Instruments
import mobilebench.core.jobs.NoRecord
import mobilebench.core.jobs.Why
import mobilebench.core.jobs.beginRun
import mobilebench.core.jobs.endRun
import mobilebench.core.journal.JournalFailed
import mobilebench.core.journal.Provenance
import mobilebench.core.json.DocumentRefused
import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText
import mobilebench.core.json.text
import mobilebench.core.running.JobRun
import mobilebench.core.running.Model
import mobilebench.core.running.ModelRequest
import mobilebench.core.running.Place
import mobilebench.core.running.Runtime
import mobilebench.core.running.writeRecord
import mobilebench.core.server.EnrolmentFile
import mobilebench.core.server.Invitation
import mobilebench.core.server.NotAnInvitation
import mobilebench.core.server.QueueEntry
import mobilebench.core.server.Queue
import mobilebench.core.server.ServerAway
import mobilebench.core.server.ServerClient
import mobilebench.core.server.ServerHost
import mobilebench.core.server.ServerLoop
import mobilebench.core.server.ServerRefused
import mobilebench.core.server.ServerWork
import mobilebench.core.server.Status
import mobilebench.core.server.Step
import mobilebench.core.server.TokenFile
import mobilebench.core.server.UrlHttp
import mobilebench.core.server.readAddress
import mobilebench.core.server.readCode
import mobilebench.core.server.readInvitation

/**
 * Work for a server as the app does, on a simulated phone; return the exit code.
 *
 * The arguments are a folder that it keeps everything in, then one of
 * `enrol TEXT`, with the text of a QR code,
 * `code SERVER CODE`, and
 * `work WORD... [latency_ms=N] [wait_s=N]`, until a step has come to one of the words.
 * It prints what happens as JSON, one object on each line.
 */
internal fun workForServer(arguments: List<String>): Int {
    val (folder, verb) = arguments
    val rest = arguments.drop(2)
    val phone = SimulatedPhone(File(folder))
    return try {
        when (verb) {
            "enrol" -> phone.enrol(readInvitation(rest[0]))
            "code" -> phone.enrol(Invitation(readAddress(rest[0]), readCode(rest[1])))
            else -> phone.work(rest)
        }
        0
    } catch (error: NotAnInvitation) {
        say("refused" to error.message)
        2
    } catch (error: ServerRefused) {
        say("refused" to error.message, "code" to error.code)
        2
    } catch (error: ServerAway) {
        say("away" to error.message)
        1
    }
}

private fun say(vararg fields: Pair<String, Any?>) {
    val values = fields.filter { it.second != null }.associate { (name, value) ->
        name to if (value is Number) JsonInt(value.toLong()) else JsonText("$value")
    }
    println(JsonObject(values).text())
    System.out.flush()
}

private class SimulatedPhone(private val folder: File) : ServerHost {
    private val jobs = File(folder, "jobs").apply { mkdirs() }
    private val tokens = TokenFile(File(folder, "token"))
    private val enrolments = EnrolmentFile(File(folder, "enrolment.json"))
    private val signer get() = checkNotNull(deviceKey(File(folder, "key"))) { "no Ed25519" }
    private var endings: Set<String> = emptySet()
    private var latencyMs = 1L
    private var loop: ServerLoop? = null
    private var work: ServerWork? = null

    fun enrol(invitation: Invitation) {
        val client = ServerClient(UrlHttp(invitation.server), server = invitation.server)
        val (enrolment, token) = client.enrol(invitation.code, signer, DEVICE)
        tokens.write(token)
        enrolments.write(enrolment)
        say("enrolled" to enrolment.device, "scopes" to enrolment.scopes.joinToString(" "))
    }

    fun work(arguments: List<String>) {
        val options = arguments.filter { '=' in it }
            .associate { it.substringBefore('=') to it.substringAfter('=').toLong() }
        endings = arguments.filter { '=' !in it }.toSet()
        latencyMs = options["latency_ms"] ?: 1
        val enrolment = checkNotNull(enrolments.read()) { "enrol first" }
        val client = ServerClient(UrlHttp(enrolment.server), tokens.read(), enrolment.server)
        val queue = Queue(File(folder, "queue.json"))
        val waitS = (options["wait_s"] ?: 25).toInt()
        val work = ServerWork(client, queue, jobs, waitS = waitS)
        this.work = work
        val loop = ServerLoop(work, client, this)
        this.loop = loop
        loop.run()
    }

    override fun awaitTurn(): Boolean = true

    override fun measure(entry: QueueEntry) {
        val place = File(jobs, entry.folder)
        beginRun(place)
        val none = try {
            val given = readJobFolder(place)
            JobRun(given, SleepingRuntime(latencyMs), SimulatedPlace()).run()
            writeRecord(given, Provenance("test", "server"), signer)
            null
        } catch (error: Refused) {
            NoRecord(Why.REFUSED, error.message.orEmpty())
        } catch (error: DocumentRefused) {
            NoRecord(Why.REFUSED, error.message.orEmpty())
        } catch (error: JournalFailed) {
            NoRecord(Why.NOT_WRITTEN, error.message.orEmpty())
        } catch (error: IOException) {
            NoRecord(Why.NOT_WRITTEN, error.message.orEmpty())
        }
        endRun(place, none)
    }

    override fun show(status: Status) {
        say("doing" to status.doing.word, "sentence" to status.sentence, "wait_ms" to status.waitMs)
        if (status.doing.word in endings) loop?.stop()
    }

    override fun stepped(step: Step) {
        say(
            "step" to step.kind.word, "job" to step.entry?.job, "folder" to step.entry?.folder,
            "sentence" to step.sentence, "received_bytes" to work?.downloads?.receivedBytes,
        )
        if (step.kind.word in endings) loop?.stop()
    }
}

private val DEVICE = Device(
    id = "simulated", kind = DeviceKind.SIMULATED, model = "Simulated Phone", soc = "none",
    os = "Simulated", osVersion = "1", osBuild = "SIM.1", cores = 8,
)

/** The clock of this computer, and sensors that say that it is cool. */
private class SimulatedPlace : Place, Instruments {
    override val instruments: Instruments get() = this
    override val events = EventLog()
    override val application = Application("mobilebench", "test", Build.RELEASE)
    override val residentBytes = 50_000_000L
    override val peakBytes = 60_000_000L

    override fun nowNs(): Long = System.nanoTime()

    override fun waitNs(nanoseconds: Long) = Thread.sleep(nanoseconds / NS_IN_MS + 1)

    override fun sense(): DeviceState = state()

    override fun state() = DeviceState(tNs = nowNs(), thermal = ThermalState.NOMINAL)

    override fun device() = DEVICE

    override fun scheduling() = Scheduling(tNs = 0, foreground = true, screenOn = true)

    override fun power(): Power? = null
}

private const val NS_IN_MS = 1_000_000L

/** A library whose models take a given time and give back their inputs. */
private class SleepingRuntime(private val latencyMs: Long) : Runtime {
    override val name = "onnxruntime"
    override val version = "simulated"
    override val format = Format.ONNX
    override val units: Map<ComputeUnit, String?> = mapOf(ComputeUnit.CPU to null)

    override fun load(request: ModelRequest): Model = object : Model {
        private var fed: List<ByteBuffer> = emptyList()
        override val outputs: List<TensorSpec> = request.inputs
        override val placement: List<PlacedOperation>? = null

        override fun feed(inputs: List<ByteBuffer>) {
            fed = inputs
        }

        override fun run() = Thread.sleep(latencyMs)

        override fun read(): List<ByteBuffer> = fed

        override fun close() = Unit
    }
}
