// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
public import Foundation
import Synchronization

/// A file that a client sends, hashed as it comes; see ``ModelStore/receive(_:)``.
public final class UploadedFile: Sendable {
  private struct State {
    var handle: FileHandle
    var hash = SHA256()
  }

  private let path: String
  private let destination: String
  private let sha256: String
  private let state: Mutex<State>

  init(_ sha256: String, in layout: StoreLayout) throws(StoreError) {
    self.sha256 = sha256
    destination = layout.upload(sha256)
    path = "\(layout.uploads)/partial-\(UUID().uuidString)"
    let path = path
    try DiskFile.makeDirectory(layout.uploads)
    try DiskFile.replace(path, with: Data())
    let handle = try DiskFile.wrap("write", path) {
      try FileHandle(forUpdating: URL(fileURLWithPath: path))
    }
    state = Mutex(State(handle: handle))
  }

  /// Takes in the next bytes.
  public func append(_ data: Data) throws(StoreError) {
    let path = path
    try state.withLock { state throws(StoreError) in
      try DiskFile.wrap("write", path) { try state.handle.write(contentsOf: data) }
      state.hash.update(data.span)
    }
  }

  /// The file is complete: it is kept when its checksum is the one that was announced.
  public func finish() throws(StoreError) {
    let found = state.withLock { state in
      try? state.handle.close()
      return state.hash.finish()
    }
    guard found == sha256 else {
      try DiskFile.remove(path)
      throw StoreError(
        .corrupt,
        "The digest of what arrived is sha256:\(found), and not sha256:\(sha256). Send it again.")
    }
    try DiskFile.synchronize(path)
    try DiskFile.move(path, to: destination)
  }

  /// The file will not be complete: what has arrived of it goes.
  public func discard() {
    state.withLock { state in try? state.handle.close() }
    try? DiskFile.remove(path)
  }
}
