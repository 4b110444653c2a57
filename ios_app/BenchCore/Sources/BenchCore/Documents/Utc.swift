import Foundation

/// A moment in UTC, as journals and records write it.
package struct Utc: Hashable, Sendable {
    /// Since 1970.
    let seconds: Int
    let nanoseconds: Int

    /// Read `2026-01-02T03:04:05.678Z`, with 0 to 9 digits of a second; nil for another text.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        let pattern = Array("0000-00-00T00:00:00".utf8)
        guard bytes.count > pattern.count, bytes.last == UInt8(ascii: "Z") else { return nil }
        for (byte, expected) in zip(bytes, pattern) {
            guard expected == zero ? isDigit(byte) : byte == expected else { return nil }
        }
        var fraction = bytes[pattern.count..<bytes.count - 1]
        if let point = fraction.popFirst() {
            guard point == UInt8(ascii: "."), (1...9).contains(fraction.count),
                fraction.allSatisfy(isDigit)
            else { return nil }
        }
        func number(_ begin: Int, _ count: Int) -> Int { whole(bytes[begin..<begin + count]) }
        let (year, month, day) = (number(0, 4), number(5, 2), number(8, 2))
        let (hour, minute, second) = (number(11, 2), number(14, 2), number(17, 2))
        guard year >= 1, (1...12).contains(month),
            (1...daysIn(month, of: year)).contains(day), hour < 24, minute < 60, second < 60
        else { return nil }
        seconds = ((daysUntil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
        nanoseconds = whole(fraction + Array(repeating: zero, count: 9 - fraction.count))
    }

    /// Return the nanoseconds from this moment to another one, as far as there are so many.
    func nanoseconds(to other: Utc) -> Int {
        let between = Double(other.seconds - seconds) * 1e9
        if between.magnitude > Double(largestWhole) * 1000 { return between < 0 ? .min : .max }
        return (other.seconds - seconds) * 1_000_000_000 + other.nanoseconds - nanoseconds
    }
}

/// Return a time as journals and records write it: `2026-01-02T03:04:05.678Z`.
public func utc(_ time: Date = Date()) -> String {
    let milliseconds = Int((time.timeIntervalSince1970 * 1000).rounded(.down))
    let (days, rest) = milliseconds.flooringDivision(by: 86_400_000)
    let (year, month, day) = date(daysSince1970: days)
    let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    let (hours, minutes) = (rest / 3_600_000, rest / 60_000 % 60)
    let seconds = "\(padded(rest / 1000 % 60, 2)).\(padded(rest % 1000, 3))"
    return "\(date)T\(padded(hours, 2)):\(padded(minutes, 2)):\(seconds)Z"
}

private let zero = UInt8(ascii: "0")

private func isDigit(_ byte: UInt8) -> Bool { byte >= zero && byte <= UInt8(ascii: "9") }

private func whole(_ digits: some Sequence<UInt8>) -> Int {
    digits.reduce(0) { $0 * 10 + Int($1 - zero) }
}

private func padded(_ number: Int, _ count: Int) -> String {
    let digits = "\(number)"
    return String(repeating: "0", count: max(0, count - digits.count)) + digits
}

private func isLeap(_ year: Int) -> Bool {
    year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
}

private func daysIn(_ month: Int, of year: Int) -> Int {
    month == 2 && isLeap(year) ? 29 : [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
}

/// Return the days from 1970 to a date of the Gregorian calendar.
private func daysUntil(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let before = year - 1
    let leapDays = before / 4 - before / 100 + before / 400
    let months = (1..<month).reduce(0) { $0 + daysIn($1, of: year) }
    return before * 365 + leapDays + months + day - 1 - daysTo1970
}

private let daysTo1970 = 719_162

private func date(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
    // At or before the year that it is: no year is longer than 366 days, or shorter than 365.
    var year = 1970 + days.flooringDivision(by: days < 0 ? 365 : 366).quotient
    while daysUntil(year + 1, 1, 1) <= days { year += 1 }
    var month = 1
    while month < 12, daysUntil(year, month + 1, 1) <= days { month += 1 }
    return (year, month, days - daysUntil(year, month, 1) + 1)
}

extension Int {
    fileprivate func flooringDivision(by divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
