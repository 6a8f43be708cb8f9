// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Whoever reads our output has had enough, such as `head`.
struct BrokenPipe: Error {}

/// Standard output and standard error, written without a buffer: text is seen when it is known.
struct OutputFile: Sendable {
  static let standard = OutputFile(descriptor: 1)
  static let error = OutputFile(descriptor: 2)

  let descriptor: Int32

  /// Makes a closed pipe an error of `write` instead of the end of the process.
  static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

  var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Writes `text` as it is.
  func write(_ text: String) throws {
    let bytes = Array(text.utf8)
    var written = 0
    while written < bytes.count {
      // Reads `bytes` between the two offsets, both inside it.
      let count = unsafe bytes.withUnsafeBytes { bytes in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
        return unsafe Self.writeBytes(descriptor, rest.baseAddress, rest.count)
      }
      if count >= 0 {
        written += count
      } else if errno == EAGAIN {
        usleep(1000)
      } else if errno == EPIPE {
        throw BrokenPipe()
      } else if errno != EINTR {
        let reason = unsafe String(cString: strerror(errno))
        throw Failure("The output cannot be written: \(reason).")
      }
    }
  }

  /// Writes a line; when nobody can read it, that is no reason to stop.
  func tell(_ line: String) { try? write(line + "\n") }

  /// Writes one byte without allocating, as a signal handler must.
  func signalByte() {
    var byte: UInt8 = 0
    _ = unsafe Self.writeBytes(descriptor, &byte, 1)
  }

  private static func writeBytes(
    _ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int
  ) -> Int {
    #if canImport(Glibc)
      unsafe Glibc.write(descriptor, bytes, count)
    #elseif canImport(Musl)
      unsafe Musl.write(descriptor, bytes, count)
    #else
      unsafe Darwin.write(descriptor, bytes, count)
    #endif
  }
}
