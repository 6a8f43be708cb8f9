// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Small text files of the system, such as those under `/proc`, which have no size and cannot be
/// mapped.
package enum SystemFile {
  /// The lines of the file at `path`, at most 64 kB of it; none when it cannot be read.
  package static func lines(_ path: String) -> [String] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 65536)
    var count = 0
    while count < buffer.count {
      let room = buffer.count - count
      let got = unsafe buffer.withUnsafeMutableBytes { bytes -> Int in
        guard let start = bytes.baseAddress else { return 0 }
        return unsafe read(descriptor, start + count, room)
      }
      guard got > 0 else { break }
      count += got
    }
    return String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
