// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint

#if canImport(Darwin)
  import Darwin
#endif

/// The memory that this process may use.
public struct MachineMemory: Sendable, Hashable, Codable {
  /// Bytes of the machine, or of the control group when that is less.
  public var limit: Int
  /// Bytes of them that are free, or hold nothing but cached files.
  public var available: Int

  /// Bytes that there are, and those of them that may be taken.
  public init(limit: Int, available: Int) {
    self.limit = limit
    self.available = available
  }

  /// What the system says now; nil where it says nothing.
  public static func current() -> MachineMemory? {
    #if os(Linux)
      guard let machine = machine(SystemFile.lines("/proc/meminfo")) else { return nil }
      return groups(SystemFile.lines("/proc/self/cgroup")).reduce(machine) { memory, group in
        memory.narrowed(by: group)
      }
    #else
      let size = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE)
      return size > 0 ? MachineMemory(limit: size, available: size) : nil
    #endif
  }

  /// What `/proc/meminfo` says.
  package static func machine(_ lines: [String]) -> MachineMemory? {
    func bytes(_ key: String) -> Int? {
      let line = lines.first { $0.hasPrefix(key + ":") }
      return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
    }
    guard let total = bytes("MemTotal") else { return nil }
    return MachineMemory(limit: total, available: bytes("MemAvailable") ?? total)
  }

  /// The control groups that limit the memory of this process, from `/proc/self/cgroup`, its own
  /// and those around it, of version 2 and 1.
  package static func groups(_ lines: [String]) -> [Group] {
    for line in lines {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let isSecond = parts[0] == "0" && parts[1].isEmpty
      guard isSecond || parts[1].split(separator: ",").contains("memory") else { continue }
      let root = isSecond ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
      var path = String(parts[2])
      var found: [Group] = []
      while true {
        found.append(Group(directory: root + (path == "/" ? "" : path), isSecond: isSecond))
        guard let slash = path.lastIndex(of: "/"), path != "/" else { return found }
        path = slash == path.startIndex ? "/" : String(path[..<slash])
      }
    }
    return []
  }

  /// A control group.
  package struct Group: Hashable {
    /// Where its files are.
    package var directory: String
    /// Of version 2, where one tree holds all limits.
    package var isSecond: Bool
  }

  /// The same, within what a group allows and has in use.
  private func narrowed(by group: Group) -> MachineMemory {
    func number(_ name: String) -> Int? {
      SystemFile.lines("\(group.directory)/\(name)").first.flatMap { Int($0) }
    }
    guard let most = number(group.isSecond ? "memory.max" : "memory.limit_in_bytes"),
      most < limit
    else { return self }
    let used = number(group.isSecond ? "memory.current" : "memory.usage_in_bytes") ?? 0
    let cached = SystemFile.lines("\(group.directory)/memory.stat").first {
      $0.hasPrefix(group.isSecond ? "inactive_file " : "total_inactive_file ")
    }
    let reclaimable = cached?.split(separator: " ").last.flatMap { Int($0) } ?? 0
    return MachineMemory(
      limit: most, available: min(available, max(0, most - used + min(used, reclaimable))))
  }
}
