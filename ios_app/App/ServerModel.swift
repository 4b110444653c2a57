import BenchCore
import Combine
import Foundation

/// The work for a server, while the app is in front. One launch does one job of it.
@MainActor
final class ServerModel: ObservableObject {
    @Published private(set) var status = ServerStatus(.off)
    @Published private(set) var entries: [QueueEntry] = []
    @Published private(set) var enrolment: Enrolment?
    @Published private(set) var isOn = false
    @Published private(set) var notice: Phrase?
    /// What a scanned code gave, or a user typed.
    @Published var typed = ""

    private let folder: URL
    private let queue: Queue
    private let tokens = KeychainTokens()
    private let enrolments: EnrolmentFile
    private var task: Task<Void, Never>?
    /// What runs jobs: the model of the other pages.
    weak var app: AppModel?

    init() {
        // A device without its own folder can keep nothing; saying so is left to the first write.
        let place = (try? privateFolder()) ?? FileManager.default.temporaryDirectory
        folder = place.appendingPathComponent("server", isDirectory: true)
        queue = Queue(folder.appendingPathComponent("queue.json"))
        enrolments = EnrolmentFile(folder.appendingPathComponent("enrolment.json"))
        enrolment = enrolments.read()
        isOn = FileManager.default.fileExists(atPath: onFile.path)
        entries = queue.entries
    }

    private var onFile: URL { folder.appendingPathComponent("on") }

    func screen() -> ServerScreen {
        serverPage(enrolment, isOn: isOn, status, entries, notice: notice)
    }

    func press(_ kind: ActionKind) {
        notice = nil
        do {
            switch kind {
            case .enrol: try enrol(readTyped(typed))
            case .switchOn: try switchOn()
            case .switchOff: switchOff()
            case .sendAgain: try queue.sendKeptAgain()
            case .leaveServer: try leave()
            default: break
            }
        } catch {
            notice = .verbatim(BenchCore.words(of: error))
        }
        entries = queue.entries
        goOn()
    }

    /// Take what the camera scanned; the user decides whether to enrol.
    func take(_ url: URL) {
        typed = url.absoluteString
    }

    /// Go on with the work, where it is switched on: the app is in front.
    func goOn() {
        guard isOn, task == nil, let enrolment else { return }
        guard let token = tokens.read() else {
            status = ServerStatus(.notEnrolled)
            return
        }
        guard let jobs = try? jobsFolder() else { return }
        let client = ServerClient(
            UrlHttp(enrolment.server), server: enrolment.server, token: token, deflate: deflated)
        let work = ServerWork(client, queue, jobs: jobs)
        task = Task {
            await workForServer(work, client, self)
            task = nil
        }
    }

    /// End what is under way, but for a run: the app leaves the front.
    func pause() {
        if status.doing == .measuring { return }
        task?.cancel()
    }

    private func enrol(_ invitation: Invitation) throws {
        let signer = try DeviceSigner.ofThisDevice()
        let device = try describeDevice()
        let client = ServerClient(
            UrlHttp(invitation.server), server: invitation.server, deflate: deflated)
        notice = .of(.noticeEnrolling)
        Task {
            do {
                let (enrolment, token) = try await client.enrol(invitation.code, signer, device)
                if enrolment.server != self.enrolment?.server { try queue.forget() }
                try tokens.write(token)
                try enrolments.write(enrolment)
                self.enrolment = enrolment
                status = ServerStatus(.off)
                typed = ""
                notice = .of(.noticeEnrolled, enrolment.device)
                goOn()
            } catch {
                notice = .verbatim(BenchCore.words(of: error))
            }
        }
    }

    private func switchOn() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data().write(to: onFile)
        isOn = true
    }

    private func switchOff() {
        try? FileManager.default.removeItem(at: onFile)
        isOn = false
        pause()
    }

    /// Forget the server and its token; jobs and records stay.
    private func leave() throws {
        try queue.forget()
        tokens.clear()
        enrolments.clear()
        enrolment = nil
        status = ServerStatus(.off)
    }
}

extension ServerModel: ServerHost {
    /// False where this launch has run a job: the next one needs a fresh process.
    func awaitTurn() async -> Bool {
        guard let app, !app.isSpent else {
            notice = .of(.noticeNewLaunch)
            return false
        }
        return true
    }

    func measure(_ entry: QueueEntry) async {
        await app?.run(entry.folder, heartbeatS: entry.heartbeatS)
    }

    func show(_ status: ServerStatus) async {
        self.status = status
        entries = queue.entries
    }

    func stepped(_ step: Step) async -> Bool {
        entries = queue.entries
        let isEnd = step.kind == .sent || step.kind == .givenBack || step.kind == .kept
        guard isEnd, app?.isSpent == true else { return true }
        notice = .of(.noticeNewLaunch)
        return false
    }
}

/// Pack bytes in the way of RFC 1951, as Foundation does by this name.
@Sendable private func deflated(_ content: [UInt8]) throws -> [UInt8] {
    let packed = try NSData(data: Data(content)).compressed(using: .zlib)
    return Array(Data(referencing: packed))
}
