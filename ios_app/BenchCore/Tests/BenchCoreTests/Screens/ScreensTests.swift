import Foundation
import Testing

@testable import BenchCore

/// The words of the app, read from its own file.
struct FileWords: Words {
    let patterns: [String: String]

    init() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../../App/Resources/en.lproj/Localizable.strings")
        var patterns: [String: String] = [:]
        let line = #/"([^"]+)" = "((?:[^"\\]|\\.)*)";/#
        for each in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            if let found = each.wholeMatch(of: line) {
                patterns[String(found.1)] = String(found.2).replacing("\\\"", with: "\"")
            }
        }
        self.patterns = patterns
    }

    func pattern(_ key: TextKey) -> String { patterns[key.rawValue] ?? "" }
}

@Suite struct WordsTests {
    @Test func everyKeyHasWordsAndNoWordsAreLeftOver() throws {
        let patterns = try FileWords().patterns
        #expect(Set(patterns.keys) == Set(TextKey.allCases.map(\.rawValue)))
        #expect(patterns.values.allSatisfy { !$0.isEmpty })
        // The places of Swift's texts end in @; those of Android's end in s.
        #expect(patterns.values.allSatisfy { !$0.contains(#/%[0-9]\$[^@]/#) })
    }

    @Test func placesAreFilledByTheirNumber() {
        #expect(filled("%2$@ of %1$@", ["a", "b"]) == "b of a")
        #expect(filled("100 % of %1$@ %3$@", ["%2$@"]) == "100 % of %2$@ %3$@")
    }

    @Test func textOfOthersCannotChangeHowTheRestIsRead() {
        #expect(visible("a\u{202E}b\u{0007}\nc") == "a\\u202eb\\u0007\nc")
    }
}

@Suite struct QuantitiesTests {
    @Test(arguments: [
        (350.0, "350 ns"), (999.6, "1.00 µs"), (11_234_567.0, "11.2 ms"), (90e9, "90.0 s"),
        (120e9, "2.00 min"), (0.0, "0 ns"),
    ])
    func durationsHaveThreeDigits(ns: Double, text: String) {
        #expect(duration(ns) == text)
    }

    @Test func sizesAndSharesAndNumbers() {
        #expect(size(350) == "350 bytes")
        #expect(size(1_490_000) == "1.49 MB")
        #expect(percent(0.5) == "50 %")
        #expect(celsius(36.54) == "36.5 °C")
        #expect(plain(0.50) == "0.5")
        #expect(plain(-0.0001) == "0")
    }
}

@Suite struct SeriesTests {
    @Test func thinningKeepsEveryPeak() {
        var series = Series()
        for index in 0..<1000 { series.add(index, index == 617 ? 99 : Double(index % 7)) }
        let lines = thinned(series, endNs: 1000, columns: 10)
        #expect(lines.count == 1)
        #expect(lines[0].count <= 44)
        #expect(lines[0].contains(Dot(tNs: 617, value: 99)))
        #expect(lines[0].map(\.tNs) == lines[0].map(\.tNs).sorted())
    }

    @Test func aGapEndsALine() {
        let series = Series(tNs: [0, 1, 2, 3], values: [1, .nan, 2, 3])
        #expect(thinned(series, endNs: 4, columns: 100).map(\.count) == [1, 2])
    }

    @Test func stepsHoldTheirValueUntilTheNext() {
        let steps = stepped(Series(tNs: [0, 5, 6], values: [1, 1, 2]), endNs: 10)
        #expect(steps.tNs == [0, 6, 6, 10])
        #expect(steps.values == [1, 1, 2, 2])
        #expect(steps.levels == [1, 2])
    }
}

@Suite struct PaletteTests {
    /// The ratio of WCAG 2 that graphics need against their background.
    private let least = 3.0

    @Test(arguments: [Role.latency, .warmUp, .limit, .temperature, .width, .event])
    func whatIsDrawnStandsOutInBothThemes(role: Role) {
        #expect(contrast(Palette.light.of(role), 0xFFFFFF) >= least)
        #expect(contrast(Palette.dark.of(role), 0x000000) >= least)
    }

    private func contrast(_ one: UInt32, _ other: UInt32) -> Double {
        let (low, high) = (min(light(one), light(other)), max(light(one), light(other)))
        return (high + 0.05) / (low + 0.05)
    }

    private func light(_ colour: UInt32) -> Double {
        let parts = [16, 8, 0].map { shift in
            let part = Double(colour >> UInt32(shift) & 0xFF) / 255
            return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    }
}

@Suite struct ScreensTests {
    private let words: FileWords

    init() throws {
        words = try FileWords()
    }

    private func started(_ folder: URL) throws -> RunSoFar {
        let place = PlayedPlace()
        _ = try JobRun(readJobFolder(folder), PlayedRuntime(place), place).run()
        return RunSoFar(try readJobFolder(folder).job, try measurement(in: folder))
    }

    @Test func aJobCanBeRunOnceInALaunch() throws {
        let entry = jobEntry(try writeJob())
        let fresh = jobPage(entry, running: false)
        #expect(fresh.actions.map(\.kind) == [.run])
        #expect(fresh.actions[0].enabled)
        #expect(fresh.problem == nil)
        let spent = jobPage(entry, running: false, spent: true)
        #expect(!spent.actions[0].enabled)
        #expect(spent.problem == .of(.noticeNewLaunch))
        #expect(!jobPage(entry, running: true).actions[0].enabled)
    }

    @Test func aPlanIsAFactOfTheJob() throws {
        let entry = jobEntry(try writeJob())
        let operations = [ComputeUnit.cpu, .npu].map {
            PlacedOperation(name: "a", kind: "conv", unit: $0)
        }
        let page = jobPage(entry, running: false, plan: .known(operations))
        #expect(page.facts.map { words.say($0.value) }.contains("2 operations, 1 on the unit"))
        #expect(page.actions.map(\.kind) == [.run, .plan])
    }

    @Test func thePageOfABurstStandsStill() throws {
        let run = RunSoFar(try readJobFolder(writeJob()).job.benchProtocol)
        let still = livePage(title: .verbatim("a"), run: run, stage: .measuring)
        #expect(still.share == nil)
        #expect(still.facts.isEmpty)
        #expect(!still.chart)
        #expect(still.status == .of(.runStill))
        let over = livePage(title: .verbatim("a"), run: run, stage: .ended, end: RunEnd())
        #expect(over.chart)
        #expect(over.actions.map(\.kind) == [.open])
        let hot = RunEnd(stopped: .tooHot)
        let stopped = livePage(title: .verbatim("a"), run: run, stage: .ended, end: hot)
        #expect(stopped.status == .of(.runStoppedHot))
    }

    @Test func aResultShowsItsNumberAndWhatSpeaksAgainstIt() throws {
        let folder = try writeJob(fields: #", "limits": {"time_ns": 16000000}"#)
        _ = try started(folder)
        try writeRecord(
            readJobFolder(folder), Provenance(harnessVersion: "1", transport: "app"), signer: nil)
        let result = try #require(historyEntry(folder).result)
        let page = resultPage(result)
        #expect(words.say(page.headline) == "1.00 ms, median latency")
        #expect(page.doubts.first == .of(.stoppedByTime))
        #expect(words.say(page.shared).contains("Median: 1.00 ms"))
        let row = try #require(historyList([historyEntry(folder)]).rows.first)
        #expect(words.say(row.description).contains("1.00 ms, median latency"))
    }

    @Test func theChartHasALineForEachRoundAndAMarkForEachEvent() throws {
        var run = try started(try writeJob())
        run.add(Event(tNs: 1, kind: .background))
        let chart = runChart(run, deadlineNs: 2_000_000, columns: 400, words: words)
        #expect(chart.panels.map(\.id) == [.latency, .thermal])
        let marks = chart.panels[0].marks
        let lines = marks.count { if case .line(_, .latency) = $0 { true } else { false } }
        #expect(lines == 2)
        #expect(marks.contains(.level(2, .limit, label: "deadline")))
        #expect(marks.contains { if case .moment = $0 { true } else { false } })
        #expect(chart.panels[1].empty == .of(.chartNoTemperature))
        #expect(words.say(describe(run)).hasPrefix("Chart. 6 samples, from 1.00 ms to 1.00 ms"))
    }

    @Test func warmStatesAreBandsThatJoin() throws {
        var run = RunSoFar(try readJobFolder(writeJob()).job.benchProtocol)
        for (second, state) in [ThermalState.nominal, .fair, .fair, .serious].enumerated() {
            run.add(DeviceState(tNs: second * 1_000_000_000, thermal: state))
        }
        run.add(DeviceState(tNs: 4_000_000_000, thermal: .nominal))
        let marks = runChart(run, deadlineNs: nil, columns: 100, words: words).panels[1].marks
        #expect(marks.contains(.band(from: 1, to: 3, .fair, label: "fair")))
        #expect(marks.contains(.band(from: 3, to: 4, .serious, label: "serious")))
    }
}
