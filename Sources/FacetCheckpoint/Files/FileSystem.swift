// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// The few questions that readers ask the file system.
enum FileSystem {
  /// True when something is at `path`.
  static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// True when `path` is a directory.
  static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// `name` inside `directory`.
  static func join(_ directory: String, _ name: String) -> String {
    directory.hasSuffix("/") ? directory + name : directory + "/" + name
  }

  /// The directory that `path` is in, and its last component.
  static func split(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let directory = path[..<slash]
    return (directory.isEmpty ? "/" : String(directory), String(path[path.index(after: slash)...]))
  }

  /// The bytes of the file at `path`, which must not be larger than `limit`.
  static func read(_ path: String, limit: Int = 1 << 30) throws(CheckpointError) -> [UInt8] {
    let storage = try TensorStorage.mapped(path)
    guard storage.byteCount <= limit else {
      throw CheckpointError(
        .unsupported, "'\(path)' has \(storage.byteCount) bytes; at most \(limit) are read.")
    }
    return storage.bytes.copy(0..<storage.byteCount)
  }
}
