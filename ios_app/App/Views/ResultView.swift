import BenchCore
import SwiftUI

/// The page of a result.
struct ResultView: View {
    @EnvironmentObject private var model: AppModel
    let name: String

    var body: some View {
        if let result = model.result(name) {
            let screen = result.screen
            List {
                Text(model.words.say(screen.headline)).font(.title2)
                ForEach(screen.doubts, id: \.self) { NoticeView(text: model.words.say($0)) }
                Section { FactsView(facts: screen.facts) }
                if screen.chart, let run = result.run {
                    Section { ChartView(run: run, deadlineNs: result.deadlineNs) }
                }
                Section {
                    ForEach(screen.actions, id: \.kind) { action in
                        share(action, screen, result.record)
                    }
                }
            }
            .navigationTitle(model.words.say(screen.title))
        } else {
            Text(model.words.say(.of(.noResults)))
        }
    }

    @ViewBuilder
    private func share(
        _ action: BenchCore.Action, _ screen: ResultScreen, _ record: URL
    ) -> some View {
        let label = model.words.say(action.label)
        if action.kind == .share {
            ShareLink(item: model.words.say(screen.shared)) { Text(label) }
        } else {
            ShareLink(item: record) { Text(label) }
        }
    }
}
