import Foundation

/// What the system says of this process (proc(5)), by the names that Prometheus's client libraries have for it.
struct ProcessStatistics {
    static let help = [
        "process_cpu_seconds_total": "Processor time used, of all threads.",
        "process_resident_memory_bytes": "Memory in use.",
        "process_virtual_memory_bytes": "Address space in use.",
        "process_start_time_seconds": "When the process began, since 1970.",
        "process_open_fds": "Descriptors in use.",
        "process_max_fds": "Descriptors that may be in use.",
    ]

    private let values: [(name: String, value: Double)]

    /// Reads it; nil on systems without /proc.
    static func read() -> ProcessStatistics? {
        guard let text = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
            // The name before it may hold anything.
            let end = text.lastIndex(of: ")")
        else { return nil }
        // From the third field on.
        let fields = text[text.index(after: end)...].split(separator: " ").map { Double($0) ?? 0 }
        guard fields.count > 21 else { return nil }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        var values = [
            ("process_cpu_seconds_total", (fields[11] + fields[12]) / ticks),
            ("process_virtual_memory_bytes", fields[20]),
            ("process_resident_memory_bytes", fields[21] * Double(sysconf(Int32(_SC_PAGESIZE)))),
        ]
        if let boot = bootTime { values.append(("process_start_time_seconds", boot + fields[19] / ticks)) }
        if let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            values.append(("process_open_fds", Double(open.count)))
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            values.append(("process_max_fds", Double(limit.rlim_cur)))
        }
        return ProcessStatistics(values: values)
    }

    /// Since 1970, in seconds.
    private static var bootTime: Double? {
        guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8) else { return nil }
        return text.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }
    }

    func add(to registry: PrometheusRegistry) {
        for (name, value) in values {
            if name.hasSuffix("_total") { registry.count(name, by: value) } else { registry.set(name, to: value) }
        }
    }
}
