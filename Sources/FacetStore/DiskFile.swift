// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
package import Foundation

/// The file operations of the library, with errors that are sentences.
package enum DiskFile {
  /// Whether something lies at `path` (a link must lead somewhere).
  package static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path)
  }

  /// The size of the file at `path`, nil when there is none.
  package static func byteCount(_ path: String) -> Int? {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.size] as? NSNumber)?.intValue
  }

  /// The bytes of the file, nil when there is none.
  package static func read(_ path: String) throws(StoreError) -> Data? {
    guard exists(path) else { return nil }
    return try wrap("read", path) { try Data(contentsOf: URL(fileURLWithPath: path)) }
  }

  /// Puts `data` at `path`: readers see the old content or the new, never a part.
  package static func replace(_ path: String, with data: Data) throws(StoreError) {
    try makeDirectory(parent(path))
    try wrap("write", path) {
      try data.write(to: URL(fileURLWithPath: path), options: .atomic)
    }
    try synchronize(parent(path))
  }

  /// Makes sure that the bytes of the file, or the entries of the directory, are on the disk.
  package static func synchronize(_ path: String) throws(StoreError) {
    try wrap("write", path) {
      let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      try handle.synchronize()
      try handle.close()
    }
  }

  /// Makes the directory and those above it.
  package static func makeDirectory(_ path: String) throws(StoreError) {
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true)
    } catch {
      if isDirectory(path) { return }
      if let file = fileAbove(path) {
        throw StoreError(
          .fileSystem, "Cannot create the directory '\(path)': '\(file)' is a file.")
      }
      throw describe(error as NSError, "create the directory", path)
    }
  }

  private static func isDirectory(_ path: String) -> Bool {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return attributes?[.type] as? FileAttributeType == .typeDirectory
  }

  /// The part of `path` that exists, when it is no directory: the system does not say which it is.
  private static func fileAbove(_ path: String) -> String? {
    var path = path
    while !exists(path), path != "/", path != "." { path = parent(path) }
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return attributes?[.type] as? FileAttributeType == .typeRegular ? path : nil
  }

  /// Moves a file or directory; an existing file at the destination is replaced.
  package static func move(_ path: String, to destination: String) throws(StoreError) {
    try makeDirectory(parent(destination))
    if exists(destination) { try remove(destination) }
    try wrap("write", destination) {
      try FileManager.default.moveItem(atPath: path, toPath: destination)
    }
  }

  /// Removes a file or a directory with all it holds; nothing happens when there is none.
  package static func remove(_ path: String) throws(StoreError) {
    guard (try? FileManager.default.attributesOfItem(atPath: path)) != nil else { return }
    try wrap("remove", path) { try FileManager.default.removeItem(atPath: path) }
  }

  /// The names in the directory, sorted; none when there is no directory.
  package static func names(in directory: String) throws(StoreError) -> [String] {
    guard exists(directory) else { return [] }
    return try wrap("read the directory", directory) {
      try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    }
  }

  /// The bytes of all files below `directory`.
  package static func byteCount(below directory: String) -> Int {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
      return byteCount(directory) ?? 0
    }
    return names.reduce(0) { $0 + byteCount(below: "\(directory)/\($1)") }
  }

  /// The SHA-256 of the file at `path`.
  ///
  /// `progress` is told the bytes done.
  package static func sha256(
    _ path: String, progress: (Int) throws -> Void = { _ in }
  ) throws -> String {
    var hash = SHA256()
    var done = 0
    let handle = try wrap("read", path) {
      try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    }
    while let data = try wrap("read", path, { try handle.read(upToCount: 1 << 20) }), !data.isEmpty
    {
      try Task.checkCancellation()
      hash.update(data.span)
      done += data.count
      try progress(done)
    }
    return hash.finish()
  }

  /// The directory that holds `path`.
  package static func parent(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Runs `body`, turning what the system says into a sentence about `path`.
  package static func wrap<Result>(
    _ verb: String, _ path: String, _ body: () throws -> Result
  ) throws(StoreError) -> Result {
    do {
      return try body()
    } catch let error as StoreError {
      throw error
    } catch {
      throw describe(error as NSError, verb, path)
    }
  }

  private static func describe(_ error: NSError, _ verb: String, _ path: String) -> StoreError {
    let posix = posixCode(error)
    if posix == .ENOSPC || posix == .EDQUOT || error.code == CocoaError.fileWriteOutOfSpace.rawValue
    {
      return StoreError(
        .diskFull,
        "The disk that holds '\(path)' is full. Free some space, or set FACET_HOME to a directory "
          + "on another disk, and pull again: what has arrived is kept.")
    }
    let reason =
      switch posix {
      case .EACCES, .EPERM: "permission denied"
      case .EROFS: "the file system is read-only"
      case .ENOENT: "no such file or directory"
      case .ENOTDIR, .EEXIST: "a file is in the way"
      case .EIO: "the disk reports an error"
      default: cocoaReason(error)
      }
    return StoreError(.fileSystem, "Cannot \(verb) '\(path)': \(reason).")
  }

  /// What Foundation says where it does not pass on what the system said.
  private static func cocoaReason(_ error: NSError) -> String {
    switch CocoaError.Code(rawValue: error.code) {
    case .fileNoSuchFile, .fileReadNoSuchFile: "no such file or directory"
    case .fileReadNoPermission, .fileWriteNoPermission: "permission denied"
    case .fileWriteFileExists: "a file is in the way"
    case .fileWriteVolumeReadOnly: "the file system is read-only"
    default:
      "the system does not say why; check that its directory exists and that you may write there"
    }
  }

  private static func posixCode(_ error: NSError) -> POSIXErrorCode? {
    if error.domain == NSPOSIXErrorDomain { return POSIXErrorCode(rawValue: Int32(error.code)) }
    guard let underlying = error.userInfo[NSUnderlyingErrorKey] as? NSError else { return nil }
    return posixCode(underlying)
  }
}
