/// What a user can do on a screen.
public enum ActionKind: Sendable {
    case run, goOn, open, stop, plan, importFolder, share, save, history, jobs
    case server, enrol, switchOn, switchOff, sendAgain, leaveServer
}

/// Something to press.
public struct Action: Hashable, Sendable {
    public let kind: ActionKind
    public let label: Phrase
    public var enabled: Bool
    /// What is said of it, where that is more than its label.
    public let description: Phrase

    init(_ kind: ActionKind, _ label: Phrase, enabled: Bool = true, description: Phrase? = nil) {
        self.kind = kind
        self.label = label
        self.enabled = enabled
        self.description = description ?? label
    }
}

/// One entry of a list.
public struct Row: Hashable, Sendable, Identifiable {
    /// The job's folder.
    public let name: String
    public let title: Phrase
    public let details: [Phrase]
    /// What is wrong with it; nil where nothing is.
    public let problem: Phrase?
    /// What a tap does; nil where it does nothing.
    public let action: Action?

    public var id: String { name }

    /// All of it, for people who hear it.
    public var description: Phrase {
        .joined([title] + details + [problem].compactMap { $0 }, between: ". ")
    }
}

/// A list of jobs or of results.
public struct ListScreen: Hashable, Sendable {
    public let title: Phrase
    /// Stands in place of rows where there are none.
    public let empty: Phrase
    public let rows: [Row]
    public let actions: [Action]
    /// Something that a user has to know now; nil where there is nothing.
    public let notice: Phrase?
}

/// One line of a table: a name and a value.
public struct Fact: Hashable, Sendable {
    public let name: Phrase
    public let value: Phrase

    init(_ name: Phrase, _ value: Phrase) {
        self.name = name
        self.value = value
    }

    init(_ name: TextKey, _ value: String) { self.init(.of(name), .verbatim(value)) }

    init(_ name: TextKey, _ value: Phrase) { self.init(.of(name), value) }
}

/// The page of one job before it runs.
public struct JobScreen: Hashable, Sendable {
    public let title: Phrase
    public let facts: [Fact]
    public let advice: [Phrase]
    public let problem: Phrase?
    public let actions: [Action]
}

/// The page of a run.
public struct LiveScreen: Hashable, Sendable {
    public let title: Phrase
    /// What it does now; screen readers speak it when it changes.
    public let status: Phrase
    public let facts: [Fact]
    /// The share that is done, 0 to 1; nil where the page stands still.
    public let share: Double?
    /// Whether the chart is drawn.
    public let chart: Bool
    /// Why the result will not count; nil where nothing speaks against it.
    public let warning: Phrase?
    public let actions: [Action]
}

/// The page of a result.
public struct ResultScreen: Hashable, Sendable {
    public let title: Phrase
    /// The one number, or that there is none.
    public let headline: Phrase
    public let facts: [Fact]
    /// What speaks against the result, the most serious first.
    public let doubts: [Phrase]
    public let chart: Bool
    public let actions: [Action]
    /// What sharing sends.
    public let shared: Phrase
}
