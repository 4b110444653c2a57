import SwiftUI

/// The app: jobs, a run, results.
@main
struct MobileBenchApp: App {
    @StateObject private var model = AppModel(ProcessInfo.processInfo.arguments)
    @StateObject private var server = ServerModel()

    var body: some Scene {
        WindowGroup {
            RootView().environmentObject(model).environmentObject(server)
        }
    }
}
