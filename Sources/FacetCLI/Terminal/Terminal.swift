// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The terminal that standard input is, if it is one.
struct Terminal: ~Copyable {
  /// Rows and columns.
  struct Size: Equatable {
    var rows: Int
    var columns: Int
  }

  private let descriptor: Int32 = 0
  private let original: termios
  private var buffer: [UInt8] = []
  private var next = 0

  /// Nil when standard input and output are no terminal that understands cursor movements.
  init?() {
    guard isatty(0) == 1, OutputFile.standard.isTerminal, !Self.isDumb else { return nil }
    var state = termios()
    guard unsafe tcgetattr(0, &state) == 0 else { return nil }
    original = state
  }

  /// Whether the terminal says that it can do nothing.
  static var isDumb: Bool {
    let kind = ProcessInfo.processInfo.environment["TERM"] ?? ""
    return kind.isEmpty || kind == "dumb"
  }

  /// Whether standard input is a terminal.
  static var inputIsTerminal: Bool { isatty(0) == 1 }

  /// The size of the terminal behind `descriptor`; 80 × 24 where it does not tell.
  static func size(of descriptor: Int32 = 1) -> Size {
    var size = winsize()
    let known = unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return known
      ? Size(rows: Int(size.ws_row), columns: Int(size.ws_col)) : Size(rows: 24, columns: 80)
  }

  /// Gives every key to us, without echo; output stays as it is.
  func enterRawMode() {
    var state = original
    state.c_iflag &= ~tcflag_t(BRKINT | ICRNL | INPCK | ISTRIP | IXON)
    state.c_lflag &= ~tcflag_t(ECHO | ICANON | IEXTEN | ISIG)
    // Drain, not flush: what was typed meanwhile is kept.
    _ = unsafe tcsetattr(descriptor, TCSADRAIN, &state)
    Self.borrowed.withLock { $0 = original }
  }

  /// Gives the terminal back as it was.
  func leaveRawMode() { Self.restore() }

  /// Gives the terminal back as it was, if we have it; for whoever ends the process.
  static func restore() {
    borrowed.withLock { state in
      if var original = state { _ = unsafe tcsetattr(0, TCSADRAIN, &original) }
      state = nil
    }
  }

  /// What the terminal was before we took it.
  private static let borrowed = Mutex<termios?>(nil)

  /// Stops the process as Ctrl-Z does, until the shell wakes it again.
  func suspend() {
    leaveRawMode()
    kill(0, SIGTSTP)
    enterRawMode()
  }

  /// The next byte that is typed; nil at the end of the input.
  mutating func byte() -> UInt8? {
    if next == buffer.count, !fill() { return nil }
    defer { next += 1 }
    return buffer[next]
  }

  /// Whether a byte is there, or comes within `milliseconds`.
  func hasByte(within milliseconds: Int32) -> Bool {
    if next < buffer.count { return true }
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&request, 1, milliseconds) == 1
  }

  private mutating func fill() -> Bool {
    var bytes = [UInt8](repeating: 0, count: 4096)
    while true {
      // Writes at most as many bytes as there are.
      let count = unsafe bytes.withUnsafeMutableBytes { bytes in
        unsafe read(descriptor, bytes.baseAddress, bytes.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      buffer = Array(bytes[..<count])
      next = 0
      return true
    }
  }
}
