package mobilebench.core.running

import java.io.File
import java.nio.ByteBuffer
import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.Format
import mobilebench.core.documents.PlacedOperation
import mobilebench.core.documents.Refused
import mobilebench.core.documents.TensorSpec

/**
 * One inference library. Constructing it loads the library.
 *
 * A runtime refuses what it does not have. It never takes another unit or delegate instead.
 */
interface Runtime {
    /** As jobs name it: `onnxruntime`, `litert`, `executorch`. */
    val name: String

    /** The library's own version. */
    val version: String

    val format: Format

    /** The units, each with null where this build has it here, or a clause that says why not. */
    val units: Map<ComputeUnit, String?>

    /** What the library is told beyond a request, such as whether waiting threads spin. */
    val settings: Map<String, String> get() = emptyMap()

    /**
     * Load a model.
     *
     * Throws [Refused] for a unit or a delegate that is not there, and for a file that is not of
     * the format, is cut off, or does not fit the request; [ModelFailed] for what the library
     * itself says.
     */
    fun load(request: ModelRequest): Model
}

/** What to load, and how. */
data class ModelRequest(
    val file: File,
    /** Chooses a network in a file of several widths; null for the file's own. */
    val entry: String?,
    /** What the network takes, in the order of the job. */
    val inputs: List<TensorSpec>,
    val unit: ComputeUnit,
    /** The backend that the file was made for, as the job has it. */
    val delegate: String?,
    val threads: Int,
)

/** A loaded model. It may be used by the thread that loaded it, and by no other. */
interface Model : AutoCloseable {
    /** What the network gives, in the order of the file. */
    val outputs: List<TensorSpec>

    /**
     * Set the inputs of all runs from now on: little-endian arrays without a header, as the network
     * takes them. A file that takes 8 bits gets them converted.
     */
    fun feed(inputs: List<ByteBuffer>)

    /** Compute once. Allocates as little as the library allows. Throws [ModelFailed]. */
    fun run()

    /** Return copies of the outputs of the last run, as the network gives them; see [feed]. */
    fun read(): List<ByteBuffer>

    /** The library's own plan of where operations run; null where it tells none. */
    val placement: List<PlacedOperation>?
}

/** The library failed; the message is its own, after a clause of ours. */
class ModelFailed(message: String, cause: Throwable? = null) : Exception(message, cause)
