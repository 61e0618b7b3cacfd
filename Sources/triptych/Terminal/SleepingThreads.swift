import Foundation

/// Makes OpenMP's threads sleep while they wait for one another, instead of spinning: a server shares its cores, and a
/// spinning team waits for the scheduler whenever another process takes one of them.
enum SleepingThreads {
    /// Starts the executable again with `OMP_WAIT_POLICY=passive`, in this process, unless the environment already says
    /// how to wait. libgomp reads it when it is loaded, which is before any line of this program. Process, arguments and
    /// open files stay; if the system refuses, the threads go on spinning.
    static func require() {
        #if os(Linux)
            let environment = ProcessInfo.processInfo.environment
            guard environment["OMP_WAIT_POLICY"] == nil, environment["GOMP_SPINCOUNT"] == nil else { return }
            setenv("OMP_WAIT_POLICY", "passive", 1)
            // The threads of Swift's pool block signals, and what is executed inherits that: SIGTERM would never come.
            var none = sigset_t()
            sigemptyset(&none)
            pthread_sigmask(SIG_SETMASK, &none, nil)
            // By its own path first, after which the system names the process.
            if let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
                execv(path, CommandLine.unsafeArgv)
            }
            execv("/proc/self/exe", CommandLine.unsafeArgv)
        #endif
    }
}
