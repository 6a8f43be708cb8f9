// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An exclusive lock that other processes respect.
///
/// It ends with `release`, or with the process however that ends. What is locked is an empty
/// directory, because making one is atomic and cannot replace one that another process holds; it
/// stays for the same reason.
package struct FileLock: Sendable {
  private let handle: FileHandle

  /// Waits for the lock on `path`.
  ///
  /// `waiting` is called once when another process holds it.
  package static func acquire(
    _ path: String, waiting: () -> Void = {}
  ) async throws -> FileLock {
    let lock = try FileLock(path)
    var told = false
    while !lock.tryLock() {
      if !told { waiting() }
      told = true
      try await Task.sleep(for: .milliseconds(50))
    }
    return lock
  }

  /// Runs `body` while holding the lock on `path`, which is only ever held for moments.
  package static func with<Result>(
    _ path: String, _ body: () throws(StoreError) -> Result
  ) throws(StoreError) -> Result {
    let lock = try FileLock(path)
    while flock(lock.handle.fileDescriptor, LOCK_EX) != 0 {
      guard errno == EINTR else {
        throw StoreError(.fileSystem, "Cannot lock '\(path)': the file system does not allow it.")
      }
    }
    defer { lock.release() }
    return try body()
  }

  /// Gives the lock up.
  package func release() {
    _ = flock(handle.fileDescriptor, LOCK_UN)
    try? handle.close()
  }

  private init(_ path: String) throws(StoreError) {
    try DiskFile.makeDirectory(path)
    handle = try DiskFile.wrap("lock", path) {
      try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    }
    _ = fcntl(handle.fileDescriptor, F_SETFD, FD_CLOEXEC)
  }

  private func tryLock() -> Bool { flock(handle.fileDescriptor, LOCK_EX | LOCK_NB) == 0 }
}
