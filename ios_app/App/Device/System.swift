// `mach_task_self_` is a variable of C, which nothing changes.
@preconcurrency import Darwin
import BenchCore
import Foundation
import os

/// What this app asks of the system's own calls. Any thread may ask.
enum System {
    /// Nanoseconds since the device started; it goes on while the device sleeps.
    static func continuousNs() -> Int {
        var base = mach_timebase_info_data_t()
        mach_timebase_info(&base)
        return Int(mach_continuous_time() * UInt64(base.numer) / UInt64(base.denom))
    }

    /// Sleep for some nanoseconds, or less where a signal comes.
    static func sleep(ns: Int) {
        var time = timespec(tv_sec: ns / 1_000_000_000, tv_nsec: ns % 1_000_000_000)
        nanosleep(&time, nil)
    }

    /// Memory that counts for this app, by which the system ends apps; now and at its peak.
    static func footprint() -> (nowBytes: Int, peakBytes: Int) {
        var info = task_vm_info_data_t()
        let size = MemoryLayout<task_vm_info_data_t>.size / MemoryLayout<integer_t>.size
        var count = mach_msg_type_number_t(size)
        let status = withUnsafeMutablePointer(to: &info) { pointer in
            pointer.withMemoryRebound(to: integer_t.self, capacity: size) {
                task_info(mach_task_self_, task_flavor_t(TASK_VM_INFO), $0, &count)
            }
        }
        // What cannot be read is 0, which no process has.
        guard status == KERN_SUCCESS else { return (0, 0) }
        let now = Int(info.phys_footprint)
        return (now, max(now, Int(info.ledger_phys_footprint_peak)))
    }

    /// Memory that the system would still give this app.
    static func availableBytes() -> Int? {
        let bytes = os_proc_available_memory()
        return bytes > 0 ? Int(bytes) : nil
    }

    static var pageBytes: Int { Int(getpagesize()) }

    /// Ticks of all cores; nil where the system does not tell.
    static func cpuTicks() -> CpuTicks? {
        var info = host_cpu_load_info_data_t()
        let size = MemoryLayout<host_cpu_load_info_data_t>.size / MemoryLayout<integer_t>.size
        var count = mach_msg_type_number_t(size)
        let host = mach_host_self()
        defer { mach_port_deallocate(mach_task_self_, host) }
        let status = withUnsafeMutablePointer(to: &info) { pointer in
            pointer.withMemoryRebound(to: integer_t.self, capacity: size) {
                host_statistics(host, HOST_CPU_LOAD_INFO, $0, &count)
            }
        }
        guard status == KERN_SUCCESS else { return nil }
        // In the order of the system: user, system, idle, nice.
        let (user, system, idle, nice) = info.cpu_ticks
        return CpuTicks(busy: UInt64(user) + UInt64(system) + UInt64(nice), idle: UInt64(idle))
    }

    /// The quality of service of the calling thread, in the words of the system.
    static var qos: String {
        switch qos_class_self() {
        case QOS_CLASS_USER_INTERACTIVE: "user interactive"
        case QOS_CLASS_USER_INITIATED: "user initiated"
        case QOS_CLASS_DEFAULT: "default"
        case QOS_CLASS_UTILITY: "utility"
        case QOS_CLASS_BACKGROUND: "background"
        default: "unspecified"
        }
    }

    static var isSimulator: Bool {
        #if targetEnvironment(simulator)
            true
        #else
            false
        #endif
    }

    /// The build of the system: a new one prepares models anew.
    static var osBuild: String { text(of: "kern.osversion") ?? "unknown" }

    static var osName: String { "iOS" }

    static var osVersion: String {
        let version = ProcessInfo.processInfo.operatingSystemVersion
        let (major, minor, patch) = (
            version.majorVersion, version.minorVersion, version.patchVersion
        )
        return patch == 0 ? "\(major).\(minor)" : "\(major).\(minor).\(patch)"
    }

    /// The identifier of the model, such as `iPhone17,1`.
    static var machine: String {
        let simulated = ProcessInfo.processInfo.environment["SIMULATOR_MODEL_IDENTIFIER"]
        return simulated ?? text(of: "hw.machine") ?? "unknown"
    }

    /// The cores of each kind, the slowest first; nil where the system does not tell.
    static var clusters: [Cores]? {
        guard let kinds = number(of: "hw.nperflevels"), kinds > 0 else { return nil }
        // The system counts from the fastest.
        let counts = (0..<kinds).reversed().map { number(of: "hw.perflevel\($0).physicalcpu") }
        return counts.contains(nil) ? nil : counts.compactMap { $0 }.map { Cores(count: $0) }
    }

    private static func text(of name: String) -> String? {
        var size = 0
        guard sysctlbyname(name, nil, &size, nil, 0) == 0, size > 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: size)
        guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return nil }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    private static func number(of name: String) -> Int? {
        var value: Int32 = 0
        var size = MemoryLayout<Int32>.size
        return sysctlbyname(name, &value, &size, nil, 0) == 0 ? Int(value) : nil
    }
}
