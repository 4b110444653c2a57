/// The last numbers of a series, in the order they came, and the same numbers in order of size.
struct Ring {
    private let capacity: Int
    private var inTurn: ContiguousArray<Double>
    private var sorted: ContiguousArray<Double>
    private var next = 0

    private(set) var size = 0

    init(_ capacity: Int) {
        self.capacity = capacity
        inTurn = ContiguousArray(repeating: 0, count: capacity)
        sorted = ContiguousArray(repeating: 0, count: capacity)
    }

    /// Take in a number; of a full ring, the oldest one leaves.
    mutating func add(_ number: Double) {
        if size == capacity { remove(inTurn[next]) } else { size += 1 }
        inTurn[next] = number
        next = (next + 1) % capacity
        insert(number)
    }

    /// Return the number that is `back` places before the last one that came.
    func before(_ back: Int) -> Double { inTurn[(next - 1 - back + 2 * capacity) % capacity] }

    /// Return the number at a place in the order of size.
    func ranked(_ place: Int) -> Double { sorted[place] }

    /// Return how many numbers are at most a limit.
    func countUpTo(_ limit: Double) -> Int {
        var low = 0
        var high = size
        while low < high {
            let middle = (low + high) / 2
            if limit < sorted[middle] { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private mutating func remove(_ number: Double) {
        for place in countUpTo(number)..<capacity { sorted[place - 1] = sorted[place] }
    }

    /// Put a number in its place; the last place of `sorted` is free.
    private mutating func insert(_ number: Double) {
        var place = size - 1
        while place > 0 && sorted[place - 1] > number {
            sorted[place] = sorted[place - 1]
            place -= 1
        }
        sorted[place] = number
    }
}
