/// A value of a sensor, or why there is none.
public enum Reading<Value: Sendable>: Sendable {
    case got(Value)
    case missing(Unreadable)

    /// The value; nil where there is none.
    public var value: Value? {
        if case .got(let value) = self { return value }
        return nil
    }

    /// Why there is no value; nil where there is one.
    public var why: Unreadable? {
        if case .missing(let why) = self { return why }
        return nil
    }

    /// Return a reading of what may not be known; nil is one that is not there.
    static func known(_ value: Value?) -> Reading {
        value.map { .got($0) } ?? .missing(.absent)
    }
}
