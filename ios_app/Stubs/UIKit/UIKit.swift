// UIKit: the app and the device.
@_exported import Foundation

@MainActor
open class UIDevice: NSObject {
    /// objc: currentDevice
    open class var current: UIDevice { fatalError() }
    open var userInterfaceIdiom: UIUserInterfaceIdiom { fatalError() }
    open var isBatteryMonitoringEnabled: Bool { get { fatalError() } set {} }
    open var batteryLevel: Float { fatalError() }
    open var batteryState: BatteryState { fatalError() }
    nonisolated public class var batteryLevelDidChangeNotification: NSNotification.Name {
        fatalError()
    }
    nonisolated public class var batteryStateDidChangeNotification: NSNotification.Name {
        fatalError()
    }

    public enum BatteryState: Int, @unchecked Sendable {
        case unknown = 0
        case unplugged = 1
        case charging = 2
        case full = 3
    }
}

public enum UIUserInterfaceIdiom: Int, @unchecked Sendable {
    case unspecified = -1
    case phone = 0
    case pad = 1
}

@MainActor
open class UIApplication: NSObject {
    /// objc: sharedApplication
    open class var shared: UIApplication { fatalError() }
    open var isIdleTimerDisabled: Bool { get { fatalError() } set {} }
    open var applicationState: State { fatalError() }
    nonisolated public class var willResignActiveNotification: NSNotification.Name { fatalError() }
    nonisolated public class var didBecomeActiveNotification: NSNotification.Name { fatalError() }
    nonisolated public class var didReceiveMemoryWarningNotification: NSNotification.Name {
        fatalError()
    }

    public enum State: Int, @unchecked Sendable {
        case active = 0
        case inactive = 1
        case background = 2
    }
}
