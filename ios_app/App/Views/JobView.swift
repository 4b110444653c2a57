import BenchCore
import SwiftUI

/// The page of one job before it runs.
struct JobView: View {
    @EnvironmentObject private var model: AppModel
    let name: String

    var body: some View {
        if let screen = model.job(name) {
            List {
                if let problem = screen.problem { NoticeView(text: model.words.say(problem)) }
                Section { FactsView(facts: screen.facts) }
                Section {
                    ForEach(screen.advice, id: \.self) { Text(model.words.say($0)) }
                }
                Section {
                    ForEach(screen.actions, id: \.kind) { action in
                        ActionButton(action: action) { model.press(action.kind, name) }
                    }
                }
            }
            .navigationTitle(model.words.say(screen.title))
        } else {
            Text(model.words.say(.of(.noticeNoSuchJob, name)))
        }
    }
}
