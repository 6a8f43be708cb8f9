// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetJSON
internal import FacetTensor

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// The few questions that readers ask the file system.
package enum FileSystem {
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

  /// Makes the directory `path` where there is none; the one it is in must be there.
  static func createDirectory(_ path: String) throws(CheckpointError) {
    guard !isDirectory(path), unsafe mkdir(path, 0o755) != 0 else { return }
    throw failed(path)
  }

  /// Puts the directory `from` at `path`, where nothing or an empty directory may be.
  static func move(_ from: String, to path: String) throws(CheckpointError) {
    guard unsafe rename(from, path) != 0 else { return }
    throw failed(path)
  }

  /// Removes the files `names` of `directory`, and the directory when nothing is left in it.
  static func remove(_ directory: String, holding names: [String]) {
    for name in names { unsafe unlink(join(directory, name)) }
    unsafe rmdir(directory)
  }

  private static func failed(_ path: String) -> CheckpointError {
    let reason = unsafe String(cString: strerror(errno))
    return CheckpointError(.unreadable, "Cannot write '\(path)': \(reason).")
  }

  /// Bytes that may still be written into the folder that `path` is in; nil when it does not say.
  static func availableByteCount(at path: String) -> Int? {
    var status = statvfs()
    guard unsafe statvfs(split(path).directory, &status) == 0 else { return nil }
    let (count, overflows) = Int(clamping: status.f_bavail)
      .multipliedReportingOverflow(by: Int(clamping: status.f_frsize))
    return overflows ? .max : count
  }

  /// Throws when `needed` bytes do not go into the `available` ones.
  package static func checkSpace(
    for path: String, needed: Int, available: Int?
  ) throws(CheckpointError) {
    guard let available, needed > available else { return }
    throw CheckpointError(
      .unreadable,
      "'\(path)' takes \(needed) bytes, and the disk has \(available) left. Free some space or write "
        + "to another disk.")
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

  /// The JSON file at `path`, which may have `limit` bytes at most.
  static func readJSON(_ path: String, limit: Int) throws(CheckpointError) -> JSON {
    let text = try read(path, limit: limit)
    do { return try JSONReader.read(text, path: path) } catch { throw CheckpointError(error) }
  }
}
