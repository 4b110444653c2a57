// The system's calls. What Linux's C library has in common with it is taken from there.
@_exported import Glibc

/// swift: https://developer.apple.com/documentation/kernel/kern_return_t
public typealias kern_return_t = Int32
/// swift: https://developer.apple.com/documentation/kernel/integer_t
public typealias integer_t = Int32
/// swift: https://developer.apple.com/documentation/kernel/natural_t
public typealias natural_t = UInt32
/// swift: https://developer.apple.com/documentation/kernel/mach_port_t
public typealias mach_port_t = UInt32
/// swift: https://developer.apple.com/documentation/kernel/mach_msg_type_number_t
public typealias mach_msg_type_number_t = UInt32
/// swift: https://developer.apple.com/documentation/kernel/task_flavor_t
public typealias task_flavor_t = UInt32
/// swift: https://developer.apple.com/documentation/kernel/host_flavor_t
public typealias host_flavor_t = Int32

/// swift: https://developer.apple.com/documentation/kernel/kern_success
public var KERN_SUCCESS: Int32 { fatalError() }
/// swift: https://developer.apple.com/documentation/kernel/task_vm_info
public var TASK_VM_INFO: Int32 { fatalError() }
/// swift: https://developer.apple.com/documentation/kernel/host_cpu_load_info
public var HOST_CPU_LOAD_INFO: Int32 { fatalError() }
public var mach_task_self_: mach_port_t = 0

/// swift: https://developer.apple.com/documentation/kernel/mach_timebase_info_data_t
public struct mach_timebase_info_data_t {
    public init() {}
    public var numer: UInt32 = 0
    public var denom: UInt32 = 0
}

@discardableResult
public func mach_timebase_info(
    _ info: UnsafeMutablePointer<mach_timebase_info_data_t>
) -> kern_return_t { fatalError() }
public func mach_continuous_time() -> UInt64 { fatalError() }

/// swift: https://developer.apple.com/documentation/kernel/task_vm_info_data_t
public struct task_vm_info_data_t {
    public init() {}
    public var phys_footprint: UInt64 = 0
    public var ledger_phys_footprint_peak: Int64 = 0
}

public func task_info(
    _ target_task: mach_port_t, _ flavor: task_flavor_t,
    _ task_info_out: UnsafeMutablePointer<integer_t>,
    _ task_info_outCnt: UnsafeMutablePointer<mach_msg_type_number_t>
) -> kern_return_t { fatalError() }

/// swift: https://developer.apple.com/documentation/kernel/host_cpu_load_info_data_t
public struct host_cpu_load_info_data_t {
    public init() {}
    public var cpu_ticks: (natural_t, natural_t, natural_t, natural_t) = (0, 0, 0, 0)
}

public func mach_host_self() -> mach_port_t { fatalError() }
@discardableResult
public func mach_port_deallocate(_ task: mach_port_t, _ name: mach_port_t) -> kern_return_t {
    fatalError()
}
public func host_statistics(
    _ host_priv: mach_port_t, _ flavor: host_flavor_t,
    _ host_info_out: UnsafeMutablePointer<integer_t>,
    _ host_info_outCnt: UnsafeMutablePointer<mach_msg_type_number_t>
) -> kern_return_t { fatalError() }
public func sysctlbyname(
    _ name: UnsafePointer<CChar>!, _ oldp: UnsafeMutableRawPointer!,
    _ oldlenp: UnsafeMutablePointer<Int>!, _ newp: UnsafeMutableRawPointer!, _ newlen: Int
) -> Int32 { fatalError() }

/// swift: https://developer.apple.com/documentation/kernel/qos_class_t
public struct qos_class_t: RawRepresentable, Equatable {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// swift: https://developer.apple.com/documentation/dispatch/dispatchqos/qosclass
public var QOS_CLASS_USER_INTERACTIVE: qos_class_t { fatalError() }
/// swift: https://developer.apple.com/documentation/dispatch/dispatchqos/qosclass
public var QOS_CLASS_USER_INITIATED: qos_class_t { fatalError() }
/// swift: https://developer.apple.com/documentation/dispatch/dispatchqos/qosclass
public var QOS_CLASS_DEFAULT: qos_class_t { fatalError() }
/// swift: https://developer.apple.com/documentation/dispatch/dispatchqos/qosclass
public var QOS_CLASS_UTILITY: qos_class_t { fatalError() }
/// swift: https://developer.apple.com/documentation/dispatch/dispatchqos/qosclass
public var QOS_CLASS_BACKGROUND: qos_class_t { fatalError() }
public func qos_class_self() -> qos_class_t { fatalError() }
