private let mostWhole = 21
private let leastPlain = -7

/// Return a number as ECMAScript writes it: the fewest digits that are read as this number again.
///
/// Swift finds these digits, of several such the closest, and writes them in another way. The
/// number has to be finite.
public func ecmaScript(_ value: Double) -> String {
    precondition(value.isFinite, "\(value) is not a number that JSON has")
    if value == 0 { return "0" }
    let (digits, power) = shortest(value.magnitude)
    return (value < 0 ? "-" : "") + written(digits, power)
}

/// Return the digits without zeros around them, and the power of ten of the first one.
private func shortest(_ value: Double) -> (digits: [UInt8], power: Int) {
    let parts = value.description.split(separator: "e")
    let mantissa = parts[0].split(separator: ".")
    var digits = mantissa.flatMap { Array($0.utf8) }
    var power = mantissa[0].utf8.count - 1 + (parts.count > 1 ? Int(parts[1])! : 0)
    let leading = digits.prefix { $0 == zero }.count
    digits.removeFirst(leading)
    power -= leading
    while digits.last == zero { digits.removeLast() }
    return (digits, power)
}

/// Write digits whose first one stands for tens to the power.
private func written(_ digits: [UInt8], _ power: Int) -> String {
    func text(_ part: some Sequence<UInt8>) -> String {
        String(decoding: Array(part), as: UTF8.self)
    }
    if power > leastPlain, power < 0 {
        return "0." + String(repeating: "0", count: -power - 1) + text(digits)
    }
    if power >= 0, power < mostWhole {
        let more = power + 1 - digits.count
        if more >= 0 { return text(digits) + String(repeating: "0", count: more) }
        return text(digits.prefix(power + 1)) + "." + text(digits.dropFirst(power + 1))
    }
    let fraction = digits.count > 1 ? "." + text(digits.dropFirst()) : ""
    return text(digits.prefix(1)) + fraction + "e" + (power > 0 ? "+" : "") + "\(power)"
}

private let zero = UInt8(ascii: "0")
