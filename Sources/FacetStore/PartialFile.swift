// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
package import Foundation
import Synchronization

/// A file that arrives piece by piece, hashed as it comes.
///
/// What lies at `path` is taken up where it stops. Beside it, `path.tag` keeps the entity tag of the
/// answer it comes from, so that a later try can ask whether the file is still the same.
package final class PartialFile: Sendable {
  private struct State {
    var handle: FileHandle
    var hash = SHA256()
    var byteCount = 0
    var tag: String?
  }

  package let path: String
  private let expected: Int
  private let state: Mutex<State>

  /// Opens what is there of a file of `expected` bytes, or begins it.
  package init(_ path: String, expected: Int) throws {
    self.path = path
    self.expected = expected
    if (DiskFile.byteCount(path) ?? Int.max) > expected {
      try DiskFile.wrap("write", path) { try Data().write(to: URL(fileURLWithPath: path)) }
    }
    let handle = try DiskFile.wrap("write", path) {
      try FileHandle(forUpdating: URL(fileURLWithPath: path))
    }
    var start = State(handle: handle)
    while let data = try DiskFile.wrap("read", path, { try handle.read(upToCount: 1 << 20) }),
      !data.isEmpty
    {
      try Task.checkCancellation()
      start.hash.update(data.span)
      start.byteCount += data.count
    }
    start.tag = try DiskFile.read(Self.tagPath(path)).map { String(decoding: $0, as: UTF8.self) }
    state = Mutex(start)
  }

  private static func tagPath(_ path: String) -> String { path + ".tag" }

  /// The bytes that are here.
  package var byteCount: Int { state.withLock { $0.byteCount } }

  /// The entity tag of the answer that the bytes come from.
  package var tag: String? { state.withLock { $0.tag } }

  /// Forgets all bytes; those that come now belong to `tag`.
  package func restart(tag: String?) throws {
    try state.withLock { state in
      try DiskFile.wrap("write", path) { try state.handle.truncate(atOffset: 0) }
      state.hash = SHA256()
      state.byteCount = 0
      state.tag = tag
      // After the bytes are gone, before new ones come: the tag never speaks of others.
      if let tag {
        try DiskFile.replace(Self.tagPath(path), with: Data(tag.utf8))
      } else {
        try DiskFile.remove(Self.tagPath(path))
      }
    }
  }

  /// Takes in more bytes and returns how many there are now.
  package func append(_ data: Data) throws -> Int {
    try state.withLock { state in
      guard data.count <= expected - state.byteCount else { throw TooLong() }
      try DiskFile.wrap("write", path) { try state.handle.write(contentsOf: data) }
      state.hash.update(data.span)
      state.byteCount += data.count
      return state.byteCount
    }
  }

  /// The source sends more bytes than the file has.
  package struct TooLong: Error {}

  /// The SHA-256 of what is here.
  package func sha256() -> String {
    state.withLock { state in
      var hash = state.hash
      return hash.finish()
    }
  }

  /// The name that git gives to what is here: the SHA-1 of `blob SIZE`, a zero byte and the bytes.
  package func gitSHA1() throws -> String {
    var hash = SHA1()
    let start = [UInt8]("blob \(byteCount)\0".utf8)
    hash.update(start.span)
    try DiskFile.wrap("read", path) {
      let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      while let data = try handle.read(upToCount: 1 << 20), !data.isEmpty {
        hash.update(data.span)
      }
      try handle.close()
    }
    return hash.finish()
  }

  /// Closes the file; it stays where it is.
  package func close() { state.withLock { state in try? state.handle.close() } }

  /// Throws away what is here.
  package func discard() throws(StoreError) {
    close()
    try DiskFile.remove(path)
    try DiskFile.remove(Self.tagPath(path))
  }
}
