import BenchCore
import SwiftUI
import UniformTypeIdentifiers

/// The list of jobs.
struct JobsView: View {
    @EnvironmentObject private var model: AppModel
    @State private var isChoosing = false

    var body: some View {
        let screen = model.list()
        RowsView(screen: screen) { model.path = [.job($0)] }
            .toolbar {
                ForEach(screen.actions, id: \.kind) { action in
                    ActionButton(action: action) { press(action.kind) }
                }
            }
            .refreshable { await model.refresh() }
            .fileImporter(isPresented: $isChoosing, allowedContentTypes: [.folder]) { chosen in
                switch chosen {
                case .success(let folder): Task { await model.take(folder) }
                case .failure(let error): model.refuse(error)
                }
            }
    }

    private func press(_ kind: ActionKind) {
        switch kind {
        case .importFolder: isChoosing = true
        case .history: model.path = [.history]
        case .server: model.path = [.server]
        default: break
        }
    }
}

/// The list of past results.
struct HistoryView: View {
    @EnvironmentObject private var model: AppModel

    var body: some View {
        RowsView(screen: model.history()) { model.path.append(.result($0)) }
    }
}

/// Rows with a title, or what stands in place of them.
private struct RowsView: View {
    @EnvironmentObject private var model: AppModel
    let screen: ListScreen
    let open: (String) -> Void

    var body: some View {
        List {
            if let notice = screen.notice { NoticeView(text: model.words.say(notice)) }
            if screen.rows.isEmpty { Text(model.words.say(screen.empty)) }
            ForEach(screen.rows) { row in
                Button {
                    open(row.name)
                } label: {
                    RowView(row: row)
                }
                .disabled(row.action == nil)
                .accessibilityLabel(model.words.say(row.description))
            }
        }
        .navigationTitle(model.words.say(screen.title))
    }
}

/// One entry of a list: its title, details and problem.
struct RowView: View {
    @EnvironmentObject private var model: AppModel
    let row: BenchCore.Row

    var body: some View {
        VStack(alignment: .leading, spacing: 4) {
            Text(model.words.say(row.title)).font(.headline)
            ForEach(row.details, id: \.self) { detail in
                Text(model.words.say(detail)).font(.subheadline).foregroundStyle(.secondary)
            }
            if let problem = row.problem { NoticeView(text: model.words.say(problem)) }
        }
    }
}
