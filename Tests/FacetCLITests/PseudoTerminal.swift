// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The command in a terminal of its own: what it shows is read, keys are sent.
final class PseudoTerminal {
  struct Failed: Error, CustomStringConvertible { var description: String }

  private let master: Int32
  private let child: pid_t
  /// `POSIX_SPAWN_SETSID`, which the Glibc module does not show.
  private static let newSession = 0x80
  /// Everything that was shown.
  private(set) var screen = ""
  /// Where in `screen` the next `wait` begins to look.
  private var seen = 0

  init(
    _ arguments: [String], columns: UInt16 = 240, environment: [String: String] = [:]
  ) throws {
    var (outer, inner): (Int32, Int32) = (-1, -1)
    guard unsafe openpty(&outer, &inner, nil, nil, nil) == 0 else {
      throw Failed(description: "there is no pseudo-terminal: error \(errno)")
    }
    master = outer
    defer { close(inner) }
    var name = [CChar](repeating: 0, count: 256)
    _ = unsafe ttyname_r(inner, &name, name.count)
    let path = String(
      decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // The child has it for itself: its end is then seen here.
    _ = fcntl(outer, F_SETFD, FD_CLOEXEC)
    _ = fcntl(inner, F_SETFD, FD_CLOEXEC)
    var size = winsize(ws_row: 30, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    _ = unsafe ioctl(master, UInt(TIOCSWINSZ), &size)
    child = try Self.spawn(
      [Facet.executable] + arguments, Facet.environment(environment), terminal: path)
  }

  /// Starts the child as the leader of a session whose terminal is `terminal`.
  private static func spawn(
    _ arguments: [String], _ environment: [String: String], terminal: String
  ) throws -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, 0, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, 0, 2)
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    unsafe posix_spawnattr_setflags(&attributes, Int16(Self.newSession))
    let words = unsafe arguments.map { unsafe strdup($0) } + [nil]
    let variables = unsafe environment.map { unsafe strdup("\($0.key)=\($0.value)") } + [nil]
    defer { unsafe (words + variables).forEach { unsafe free($0) } }
    var child: pid_t = 0
    let status = unsafe posix_spawn(
      &child, arguments[0], &actions, &attributes, words, variables)
    guard status == 0 else { throw Failed(description: "posix_spawn: error \(status)") }
    return child
  }

  /// Whether what is typed is shown by the terminal itself, as it is before and after a program that
  /// reads keys.
  var echoes: Bool {
    var state = termios()
    return unsafe tcgetattr(master, &state) == 0 && state.c_lflag & tcflag_t(ECHO) != 0
  }

  /// Sends `signal` to the command, as another program would.
  func send(signal: Int32) { kill(child, signal) }

  deinit { close(master) }

  /// Types `text`.
  func type(_ text: String) {
    let bytes = Array(text.utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe write(master, $0.baseAddress, $0.count) }
  }

  /// Waits until `text` is shown after what was waited for before.
  func wait(for text: String, seconds: Double = 90) throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while true {
      let rest = screen.utf8.dropFirst(seen)
      if let range = Array(rest).firstRange(of: Array(text.utf8)) {
        seen += range.upperBound
        return
      }
      guard ContinuousClock.now < deadline, fill() else {
        throw Failed(
          description: "'\(text)' was not shown; the screen:\n\(screen.debugDescription)")
      }
    }
  }

  /// Waits for the end and returns the exit status.
  func exitStatus(seconds: Double = 90) throws -> Int32 {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline, fill() {}
    var status: Int32 = 0
    while unsafe waitpid(child, &status, WNOHANG) == 0 {
      guard ContinuousClock.now < deadline else {
        kill(child, SIGKILL)
        throw Failed(description: "it did not end; the screen:\n\(screen.debugDescription)")
      }
      usleep(2000)
    }
    return status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f)
  }

  private var bytes: [UInt8] = []

  /// Reads what is there, waiting a moment; false when the other end is closed.
  private func fill() -> Bool {
    var request = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
    guard unsafe poll(&request, 1, 100) > 0 else { return true }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = unsafe buffer.withUnsafeMutableBytes {
      unsafe read(master, $0.baseAddress, $0.count)
    }
    guard count > 0 else { return false }
    bytes += buffer[..<count]
    screen = String(decoding: bytes, as: UTF8.self)
    return true
  }
}

extension Array where Element == UInt8 {
  fileprivate func firstRange(of part: [UInt8]) -> Range<Int>? {
    guard count >= part.count else { return nil }
    return (0...count - part.count).first { self[$0..<$0 + part.count].elementsEqual(part) }
      .map { $0..<$0 + part.count }
  }
}
