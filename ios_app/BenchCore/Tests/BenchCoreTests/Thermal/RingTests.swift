import Testing

@testable import BenchCore

@Suite struct RingTests {
    @Test func aRingHoldsTheLastNumbersInTheOrderOfTimeAndOfSize() {
        var random = SmallGenerator(state: 3)
        var ring = Ring(5)
        var last: [Double] = []
        for _ in 0..<1000 {
            let number = Double(random.next(below: 6))
            ring.add(number)
            last = (last + [number]).suffix(5)
            #expect(ring.size == last.count)
            #expect(last.indices.map(ring.ranked) == last.sorted())
            #expect(last.indices.map(ring.before) == last.reversed())
            for limit in -1...6 {
                let few = last.filter { $0 <= Double(limit) }.count
                #expect(ring.countUpTo(Double(limit)) == few)
            }
        }
    }
}

/// A linear congruential generator, with the numbers of the C standard.
struct SmallGenerator {
    var state: Int

    mutating func next(below limit: Int) -> Int {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31)
        return state / 65_536 % limit
    }
}
