package mobilebench.core.diagnoses

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.Device
import mobilebench.core.documents.DeviceKind
import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Event
import mobilebench.core.documents.EventKind
import mobilebench.core.documents.Loads
import mobilebench.core.documents.Measurement
import mobilebench.core.documents.Memory
import mobilebench.core.documents.Phase
import mobilebench.core.documents.Protocol
import mobilebench.core.documents.RuntimeInfo
import mobilebench.core.documents.Samples
import mobilebench.core.documents.Scheduling
import mobilebench.core.documents.UnitEvidence
import mobilebench.core.documents.WarmUp

class DiagnoseTest {
    private val device = Device("phone", DeviceKind.PHONE, "one", os = "android", osVersion = "14")
    private val protocol = Protocol(
        id = "test", purpose = "tests", rounds = 1, warmUp = WarmUp(0, 0, 1), inferences = 60,
        minDurationNs = 0, maxDurationNs = 1_000_000,
    )
    private val steady = LongArray(60) { 1000L + it % 7 }

    @Test
    fun `a steady run is valid`() {
        assertEquals(Judgement(emptyList()), judged(steady))
        assertEquals(Validity.VALID, judged(steady).validity)
    }

    @Test
    fun `every event and every scheduling that is an absence is not in front, and no other`() {
        for (kind in EventKind.values()) {
            val events = listOf(Event(5, kind))
            val isAway = absences(events, emptyList()).isNotEmpty()
            val judgement = judged(steady, events = events)
            assertEquals(isAway, Diagnosis.NOT_IN_FRONT in judgement.reasons, kind.word)
        }
        for (foreground in listOf(null, true, false)) {
            for (screenOn in listOf(null, true, false)) {
                val scheduling = listOf(Scheduling(5, foreground, screenOn))
                val isAway = foreground == false || screenOn == false
                val judgement = judged(steady, scheduling = scheduling)
                assertEquals(isAway, Diagnosis.NOT_IN_FRONT in judgement.reasons)
            }
        }
    }

    @Test
    fun `latencies of two widths are no two modes`() {
        val half = LongArray(60) { if (it < 30) 1000L + it % 7 else 500L + it % 7 }
        val widths = DoubleArray(60) { if (it < 30) 1.0 else 0.5 }
        assertTrue(Diagnosis.BIMODAL_LATENCY in judged(half).reasons)
        assertEquals(emptyList(), judged(half, widths).reasons)
    }

    @Test
    fun `without any sample nothing but their lack is seen`() {
        assertEquals(listOf(Diagnosis.TOO_FEW_SAMPLES), judged(LongArray(0)).reasons)
    }

    @Test
    fun `ranks correlate with ties in the order they come`() {
        val rising = doubleArrayOf(3.0, 4.0, 5.0)
        assertEquals(1.0, rankCorrelation(doubleArrayOf(1.0, 1.0, 2.0), rising), ROUNDING)
        assertEquals(-1.0, rankCorrelation(doubleArrayOf(3.0, 2.0, 1.0), rising), ROUNDING)
        assertEquals(0.0, rankCorrelation(doubleArrayOf(1.0, 1.0, 1.0), rising))
    }

    private fun judged(
        latencies: LongArray,
        widths: DoubleArray = DoubleArray(0),
        events: List<Event> = emptyList(),
        scheduling: List<Scheduling> = emptyList(),
    ): Judgement {
        val samples = Samples(
            tNs = LongArray(latencies.size) { it * 2000L },
            latencyNs = latencies,
            phase = Array(latencies.size) { Phase.MEASURED },
            round = IntArray(latencies.size),
            width = widths,
        )
        val measurement = Measurement(
            runtime = RuntimeInfo(
                "onnxruntime", "1", ComputeUnit.CPU, UnitEvidence.CONFIRMED, null, 1,
            ),
            samples = samples,
            loads = Loads(1),
            memory = Memory(2, 1),
            before = DeviceState(0),
            after = DeviceState(9),
            events = events,
            scheduling = scheduling,
        )
        return diagnose(measurement, protocol, device)
    }

    private companion object {
        /** A few last digits of a number near 1: the correlation goes through square roots. */
        const val ROUNDING = 1e-15
    }
}
