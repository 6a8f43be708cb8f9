// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Writes a new file beside its final place and moves it there when it is complete, so that
/// nobody ever sees half a file.
package struct FileWriter: ~Copyable {
  private let path: String
  private let temporary: String
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var isOpen = true
  /// Bytes written so far.
  private(set) var count = 0

  /// Starts a file that will be at `path`.
  package init(_ path: String) throws(CheckpointError) {
    self.path = path
    // A name of its own for every writer: two of them never write into one file.
    temporary = path + ".tmp-" + String(UInt64.random(in: 0 ... .max), radix: 36)
    descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw FileWriter.failed(path) }
    buffer.reserveCapacity(FileWriter.bufferSize)
  }

  deinit {
    guard isOpen else { return }
    close(descriptor)
    unsafe unlink(temporary)
  }

  /// Appends `bytes`.
  package mutating func write(_ bytes: [UInt8]) throws(CheckpointError) {
    count += bytes.count
    buffer.append(contentsOf: bytes)
    if buffer.count >= FileWriter.bufferSize { try flush() }
  }

  /// Appends the bytes of a tensor or of another file.
  package mutating func write(_ bytes: RawSpan) throws(CheckpointError) {
    var start = 0
    while start < bytes.byteCount {
      let end = min(bytes.byteCount, start + FileWriter.bufferSize)
      try write(bytes.copy(start..<end))
      start = end
    }
  }

  /// Appends the bytes of `values`, in the machine's order.
  package mutating func write<T: FixedWidthInteger & BitwiseCopyable>(
    values: [T]
  ) throws(CheckpointError) {
    try write(unsafe values.span.bytes)
  }

  /// Appends `value`, little-endian.
  mutating func write<T: FixedWidthInteger>(_ value: T) throws(CheckpointError) {
    var rest = T.Magnitude(truncatingIfNeeded: value)
    var bytes: [UInt8] = []
    for _ in 0..<(T.bitWidth / 8) {
      bytes.append(UInt8(truncatingIfNeeded: rest))
      rest = T.bitWidth > 8 ? rest >> 8 : 0
    }
    try write(bytes)
  }

  /// Appends zeros until the count is a multiple of `alignment`.
  mutating func pad(to alignment: Int) throws(CheckpointError) {
    let rest = count % alignment
    if rest > 0 { try write([UInt8](repeating: 0, count: alignment - rest)) }
  }

  /// Puts the complete file in its place.
  package consuming func finish() throws(CheckpointError) {
    try flush()
    let written = fsync(descriptor) == 0
    close(descriptor)
    isOpen = false
    guard written, unsafe rename(temporary, path) == 0 else {
      let error = FileWriter.failed(path)
      unsafe unlink(temporary)
      throw error
    }
  }

  private mutating func flush() throws(CheckpointError) {
    var start = 0
    while start < buffer.count {
      // The pointer lives for the call; the count is that of the rest of the buffer.
      let written = unsafe buffer[start...].withUnsafeBytes { rest in
        unsafe systemWrite(descriptor, rest.baseAddress, rest.count)
      }
      guard written > 0 || errno == EINTR else { throw FileWriter.failed(path) }
      start += max(0, written)
    }
    buffer.removeAll(keepingCapacity: true)
  }

  private static let bufferSize = 1 << 20

  private static func failed(_ path: String) -> CheckpointError {
    let reason = unsafe String(cString: strerror(errno))
    return CheckpointError(.unreadable, "Cannot write '\(path)': \(reason).")
  }
}

/// The system's `write`, which the methods of the same name hide.
private func systemWrite(
  _ descriptor: Int32, _ start: UnsafeRawPointer?, _ count: Int
) -> Int {
  unsafe write(descriptor, start, count)
}
