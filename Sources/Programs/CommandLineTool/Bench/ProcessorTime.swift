internal import Configuration
internal import Glibc

/// Time that processors spent, by process.
package enum ProcessorTime {
  /// Seconds that this process has used, in the kernel and outside.
  static var ownSeconds: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let user = Double(usage.ru_utime.tv_sec) + Double(usage.ru_utime.tv_usec) / 1_000_000
    return user + Double(usage.ru_stime.tv_sec) + Double(usage.ru_stime.tv_usec) / 1_000_000
  }

  /// Seconds that some processes have used, in the kernel and outside, in steps of a clock tick.
  static func seconds(of processes: [pid_t]) throws -> Double {
    try processes.reduce(0) { sum, process in
      let path = "/proc/\(process)/stat"
      let text = String(decoding: try Files.read(path), as: UTF8.self)
      guard let ticks = ticks(inStat: text) else {
        throw ConfigurationError(source: path, reason: "no processor time is there")
      }
      return sum + Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
  }

  /// Nanoseconds that all threads of a process have run, those that have ended left out.
  static func nanoseconds(of process: pid_t) throws -> UInt64 {
    let folder = "/proc/\(process)/task"
    guard let stream = opendir(folder) else {
      throw FileError(operation: "open", path: folder, code: errno)
    }
    defer { closedir(stream) }
    var sum: UInt64 = 0
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard UInt32(name) != nil else { continue }
      // A thread may end between the listing and the reading.
      guard let bytes = try? Files.read("\(folder)/\(name)/schedstat") else { continue }
      let text = String(decoding: bytes, as: UTF8.self)
      sum += text.split(separator: " ").first.flatMap { UInt64($0) } ?? 0
    }
    return sum
  }

  /// Adds up fields 14 and 15 of `/proc/PID/stat`, utime and stime (proc(5)); the command's name
  /// may hold spaces and parentheses.
  package static func ticks(inStat text: String) -> Int? {
    guard let close = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: close)...].split(separator: " ")
    guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else {
      return nil
    }
    return user + system
  }
}
