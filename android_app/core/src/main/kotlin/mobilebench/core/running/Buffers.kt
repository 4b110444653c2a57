package mobilebench.core.running

import java.nio.ByteBuffer
import java.nio.ByteOrder
import mobilebench.core.documents.TensorSpec

/** Return a buffer outside the Java heap, where libraries read and write without a copy. */
fun directBuffer(bytes: Int): ByteBuffer =
    ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder())

/** Return a copy of all bytes of a buffer, whatever its position. */
fun copyOf(buffer: ByteBuffer): ByteBuffer =
    whole(directBuffer(buffer.capacity()).put(whole(buffer)))

/** Copy what is left of a buffer into another of that size; both keep their position. */
fun copy(from: ByteBuffer, to: ByteBuffer) {
    whole(to).put(from.duplicate())
}

/** Return a view of all bytes of a buffer, in the order of the machine. */
fun whole(buffer: ByteBuffer): ByteBuffer {
    // `clear` is Buffer's until Java 9, so it is called apart.
    val view = buffer.duplicate().order(ByteOrder.nativeOrder())
    view.clear()
    return view
}

/** Require one buffer of the right size for each input; raises [IllegalArgumentException]. */
fun requireFed(specs: List<TensorSpec>, inputs: List<ByteBuffer>) {
    require(inputs.size == specs.size) { "${inputs.size} inputs were given for ${specs.size}" }
    for ((spec, input) in specs.zip(inputs)) {
        require(input.remaining() == spec.bytes) {
            "${input.remaining()} bytes were given for the input $spec, which has ${spec.bytes}"
        }
    }
}
