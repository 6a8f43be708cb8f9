// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension ModelStore {
  /// Compares every byte of the model called `name` with its checksums; asks no network.
  ///
  /// Throws when a file is gone or damaged, naming the first one.
  @discardableResult
  public func verify(
    _ name: String, progress: @escaping @Sendable (PullEvent) -> Void = { _ in }
  ) throws -> StoredModel {
    let name = try ModelName(name)
    guard let manifest = try Manifest.read(layout.manifest(name)) else {
      throw StoreError(.notFound, "'\(name)' is not in the library. facet list shows what is.")
    }
    let meter = PullMeter(.verifying, total: manifest.byteCount, report: progress)
    for file in manifest.files {
      let blob = layout.blob(file.sha256)
      guard let size = DiskFile.byteCount(blob) else { throw lost(file, of: name) }
      guard size == file.byteCount,
        try DiskFile.sha256(blob, progress: { meter.set(file.name, $0) }) == file.sha256
      else {
        throw StoreError(
          .corrupt,
          "'\(file.name)' of '\(name)' is damaged on this disk. Bring it back: facet pull \(name)")
      }
    }
    progress(PullEvent(.finished))
    return stored(manifest)
  }

  func lost(_ file: StoredFile, of name: ModelName) -> StoreError {
    StoreError(
      .corrupt,
      "The library has lost '\(file.name)' of '\(name)'. Bring it back: facet pull \(name)")
  }
}
