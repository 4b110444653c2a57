import Testing

@testable import BenchCore

@Suite struct SummaryTests {
    /// numpy.sum of the same numbers, version 2; a plain sum of 1000 is 155922177169.7142.
    @Test(arguments: [
        (7, 1090485803.2857141), (8, 1110984161.7142859), (100, 15813697860.285711),
        (129, 20089904305.428574), (1000, 155922177169.7143),
    ])
    func sumsAreThoseOfNumPyToTheLastDigit(count: Int, expected: Double) {
        #expect(sum(numbers(count)) == expected)
    }

    @Test(arguments: [(8, 234844490.87142858), (1000, 279476020.0857143)])
    func percentilesAreThoseOfNumPyToTheLastDigit(count: Int, expected: Double) {
        #expect(percentile(ofOrdered: numbers(count).sorted(), 90) == expected)
    }

    @Test func aPartOfTheNumbersCanBeSummed() {
        let all = numbers(500)
        #expect(sum(all, in: 3..<401) == sum(Array(all[3..<401])))
        #expect(mean(all, in: 3..<401) == sum(Array(all[3..<401])) / 398)
    }

    @Test func aMedianIsBetweenTheTwoInTheMiddle() {
        #expect(median([3, 1, 2, 10]) == 2.5)
        #expect(median([3, 1, 2]) == 2)
    }

    @Test func nothingHasNoSummary() {
        #expect(summarise([]) == nil)
        #expect(summarise([5])?.p99Ns == 5)
    }

    /// Return the numbers of a small generator, over 7.
    private func numbers(_ count: Int) -> [Double] {
        var random = SmallGenerator(state: 0x12345)
        return (0..<count).map { _ in
            _ = random.next(below: 1)
            return Double(random.state) / 7
        }
    }
}
