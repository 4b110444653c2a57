import BenchCore
import SwiftUI

/// The page of the work for a server.
struct ServerView: View {
    @EnvironmentObject private var model: AppModel
    @EnvironmentObject private var server: ServerModel

    var body: some View {
        let screen = server.screen()
        List {
            if let problem = screen.problem { NoticeView(text: model.words.say(problem)) }
            Section { FactsView(facts: screen.facts) }
            Section {
                ForEach(screen.advice, id: \.self) { Text(model.words.say($0)) }
                if let field = screen.field {
                    TextField(model.words.say(field), text: $server.typed)
                        .autocorrectionDisabled()
                }
                ForEach(screen.actions, id: \.kind) { action in
                    ActionButton(action: action) { server.press(action.kind) }
                }
            }
            Section {
                ForEach(screen.rows) { row in
                    RowView(row: row)
                        .accessibilityElement(children: .combine)
                }
            }
        }
        .navigationTitle(model.words.say(screen.title))
    }
}
