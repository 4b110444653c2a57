import BenchCore
import SwiftUI

/// The page of a run. It cannot be swiped away: a slip of the hand must not end half an hour.
struct RunView: View {
    @EnvironmentObject private var model: AppModel
    @ObservedObject var run: CurrentRun

    var body: some View {
        let page = run.page
        NavigationStack {
            List {
                Text(model.words.say(page.status)).font(.headline)
                if let warning = page.warning { NoticeView(text: model.words.say(warning)) }
                if let share = page.share {
                    ProgressView(value: share)
                        .accessibilityLabel(model.words.say(.of(.heardProgress, percent(share))))
                }
                FactsView(facts: page.facts)
                if page.chart {
                    ChartView(run: run.shown, deadlineNs: run.given.job.deadlineNs)
                }
                ForEach(page.actions, id: \.kind) { action in
                    ActionButton(action: action) { press(action.kind) }
                }
            }
            .navigationTitle(model.words.say(page.title))
        }
        .interactiveDismissDisabled()
        // Nothing moves while it measures, also not a bar that fades.
        .transaction { $0.animation = nil }
    }

    private func press(_ kind: ActionKind) {
        if kind == .stop { run.stop() } else { model.leaveRun() }
    }
}
