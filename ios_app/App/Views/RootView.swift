import BenchCore
import SwiftUI

/// The list of jobs with the pages beside it, or the page of a run in front of all.
struct RootView: View {
    @EnvironmentObject private var model: AppModel
    @EnvironmentObject private var server: ServerModel
    @Environment(\.scenePhase) private var phase

    var body: some View {
        NavigationStack(path: $model.path) {
            JobsView()
                .navigationDestination(for: Route.self) { route in
                    switch route {
                    case .history: HistoryView()
                    case .server: ServerView()
                    case .job(let name): JobView(name: name)
                    case .result(let name): ResultView(name: name)
                    }
                }
        }
        .fullScreenCover(isPresented: .constant(model.run != nil)) {
            if let run = model.run { RunView(run: run) }
        }
        .task {
            await model.refresh()
            server.app = model
            server.goOn()
        }
        .onOpenURL { url in
            server.take(url)
            model.path = [.server]
        }
        .onChange(of: phase) { phase in
            // Files may have come by cable meanwhile.
            if phase == .active { Task { await model.refresh() } }
            if phase == .active { server.goOn() }
            if phase == .background { server.pause() }
        }
    }
}
