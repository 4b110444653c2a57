package mobilebench.core.thermal

/** The last numbers of a series, in the order they came, and the same numbers in order of size. */
internal class Ring(private val capacity: Int) {
    private val inTurn = DoubleArray(capacity)
    private val sorted = DoubleArray(capacity)
    private var next = 0

    var size = 0
        private set

    /** Take in a number; of a full ring, the oldest one leaves. */
    fun add(number: Double) {
        if (size == capacity) remove(inTurn[next]) else size += 1
        inTurn[next] = number
        next = (next + 1) % capacity
        insert(number)
    }

    /** Return the number that is [back] places before the last one that came. */
    fun before(back: Int): Double = inTurn[Math.floorMod(next - 1 - back, capacity)]

    /** Return the number at a place in the order of size. */
    fun ranked(place: Int): Double = sorted[place]

    /** Return how many numbers are at most a limit. */
    fun countUpTo(limit: Double): Int {
        var low = 0
        var high = size
        while (low < high) {
            val middle = (low + high) / 2
            if (limit < sorted[middle]) high = middle else low = middle + 1
        }
        return low
    }

    private fun remove(number: Double) {
        val place = countUpTo(number) - 1
        sorted.copyInto(sorted, place, place + 1, capacity)
    }

    /** Put a number in its place; the last place of [sorted] is free. */
    private fun insert(number: Double) {
        var place = size - 1
        while (place > 0 && sorted[place - 1] > number) {
            sorted[place] = sorted[place - 1]
            place -= 1
        }
        sorted[place] = number
    }
}
