// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// The local model library: finds models by name, brings new ones, removes old ones.
///
/// The library lies in `FACET_HOME`, or in `.facet` of the user's home directory. Several processes
/// may use it at once.
public struct ModelStore: Sendable {
  /// The directory of the library.
  public var home: String { layout.home }

  package let layout: StoreLayout
  package let sources: StoreSources

  /// Opens the library in `home`; nil means `FACET_HOME`, or `~/.facet`.
  ///
  /// Nothing is created before the first pull.
  public init(home: String? = nil) {
    self.init(home: home, sources: StoreSources())
  }

  package init(home: String?, sources: StoreSources) {
    let environment = ProcessInfo.processInfo.environment
    let chosen = home ?? environment["FACET_HOME"].flatMap { $0.isEmpty ? nil : $0 }
    let path = chosen ?? NSHomeDirectory() + "/.facet"
    layout = StoreLayout(home: URL(fileURLWithPath: path).standardizedFileURL.path)
    self.sources = sources
  }

  // MARK: Looking

  /// The models of the library, by name.
  public func list() throws(StoreError) -> [StoredModel] {
    var models: [StoredModel] = []
    for path in try manifestPaths(below: layout.manifests) {
      guard let manifest = try Manifest.read(path),
        let name = try? ModelName(manifest.name), layout.manifest(name) == path
      else { continue }
      models.append(stored(manifest))
    }
    return models.sorted { $0.name < $1.name }
  }

  /// The model called `name`, nil when the library does not have it.
  public func find(_ name: String) throws(StoreError) -> StoredModel? {
    try Manifest.read(layout.manifest(try ModelName(name))).map(stored)
  }

  /// The path of the model that `reference` means: a name of the library, a file or a directory.
  public func locate(_ reference: String) throws(StoreError) -> String {
    let path = reference.hasPrefix("~/") ? NSHomeDirectory() + reference.dropFirst() : reference
    if ["/", "./", "../"].contains(where: path.hasPrefix) {
      guard DiskFile.exists(path) else {
        throw StoreError(.notFound, "There is no file or directory '\(path)'.")
      }
      return path
    }
    if let name = try? ModelName(reference),
      let manifest = try Manifest.read(layout.manifest(name))
    {
      for file in manifest.files where !DiskFile.exists(layout.blob(file.sha256)) {
        throw lost(file, of: name)
      }
      if manifest.single == nil { try makeView(of: manifest) }
      return stored(manifest).path
    }
    if DiskFile.exists(path) { return path }
    throw unknown(reference)
  }

  // MARK: Changing

  /// Removes the model called `name`, and the files that no other model needs.
  public func remove(_ name: String) throws(StoreError) {
    let name = try ModelName(name)
    let path = layout.manifest(name)
    guard DiskFile.exists(path) else {
      throw StoreError(
        .notFound, "'\(name)' is not in the library. facet list shows what is.")
    }
    try FileLock.with(layout.storeLock) { () throws(StoreError) in
      try DiskFile.remove(path)
      try DiskFile.remove(layout.notice(name))
      try DiskFile.remove(layout.partial(name))
      try collectGarbage()
    }
  }

  /// Gives the model called `name` a second name.
  ///
  /// The files are shared.
  public func copy(_ name: String, to newName: String) throws(StoreError) {
    let name = try ModelName(name)
    let copyName = try ModelName(newName)
    guard case .library = copyName.kind else {
      throw StoreError(
        .invalidName,
        "A copy needs a name of your own, such as my-gemma:v1; '\(newName)' is a "
          + "place on the Hugging Face Hub.")
    }
    try FileLock.with(layout.storeLock) { () throws(StoreError) in
      guard var manifest = try Manifest.read(layout.manifest(name)) else { throw notStored(name) }
      manifest.name = copyName.description
      try record(manifest, as: copyName)
    }
  }

  // MARK: Pieces

  /// Writes the manifest, after the notice: a model never appears without its licence.
  package func record(_ manifest: Manifest, as name: ModelName) throws(StoreError) {
    try DiskFile.replace(layout.notice(name), with: Data(manifest.noticeText.utf8))
    try manifest.write(layout.manifest(name))
  }

  func stored(_ manifest: Manifest) -> StoredModel {
    let digest = manifest.digest
    return StoredModel(
      name: manifest.name, description: manifest.description, source: manifest.source,
      licence: manifest.licence, digest: digest, byteCount: manifest.byteCount,
      files: manifest.files,
      pulled: (try? Date(manifest.pulled, strategy: .iso8601)) ?? .distantPast,
      path: manifest.single == nil ? viewPath(manifest) : layout.blob(digest),
      settings: manifest.settings)
  }

  /// What a loader opens for a model of several files: the directory of links, or the first part of
  /// a split GGUF in it.
  private func viewPath(_ manifest: Manifest) -> String {
    let view = layout.view(manifest.digest)
    let parts = manifest.files.map(\.name).filter { $0.lowercased().hasSuffix(".gguf") }.sorted()
    return parts.first.map { "\(view)/\($0)" } ?? view
  }

  /// Makes the directory of links to the blobs of `manifest`, whole or not at all.
  func makeView(of manifest: Manifest) throws(StoreError) {
    let view = layout.view(manifest.digest)
    if DiskFile.exists(view) { return }
    let draft = "\(layout.partials)/view-\(UUID().uuidString)"
    for file in manifest.files {
      let link = "\(draft)/\(file.name)"
      let up = String(repeating: "../", count: 1 + file.name.split(separator: "/").count)
      try DiskFile.makeDirectory(DiskFile.parent(link))
      try DiskFile.wrap("write", link) {
        try FileManager.default.createSymbolicLink(
          atPath: link, withDestinationPath: "\(up)blobs/sha256-\(file.sha256)")
      }
    }
    do {
      try DiskFile.makeDirectory(layout.views)
      try DiskFile.wrap("write", view) {
        try FileManager.default.moveItem(atPath: draft, toPath: view)
      }
    } catch {
      try DiskFile.remove(draft)
      // Another process may have made the same directory meanwhile: its content is its name.
      guard DiskFile.exists(view) else { throw error }
    }
  }

  /// Removes blobs and views that no manifest names.
  ///
  /// The caller holds the store's lock.
  private func collectGarbage() throws(StoreError) {
    var kept: Set<String> = []
    for path in try manifestPaths(below: layout.manifests) {
      guard let manifest = try Manifest.read(path) else { continue }
      kept.insert("sha256-\(manifest.digest)")
      kept.formUnion(manifest.files.map { "sha256-\($0.sha256)" })
    }
    for directory in [layout.blobs, layout.views] {
      for name in try DiskFile.names(in: directory) where !kept.contains(name) {
        try DiskFile.remove("\(directory)/\(name)")
      }
    }
  }

  private func manifestPaths(below directory: String) throws(StoreError) -> [String] {
    var paths: [String] = []
    for name in try DiskFile.names(in: directory) where !name.hasPrefix(".") {
      let path = "\(directory)/\(name)"
      if name.hasSuffix(".json") {
        paths.append(path)
      } else if !name.hasSuffix(".txt") {
        paths += try manifestPaths(below: path)
      }
    }
    return paths
  }

  private func notStored(_ name: ModelName) -> StoreError {
    StoreError(.notFound, "'\(name)' is not in the library. facet list shows what is.")
  }

  private func unknown(_ reference: String) -> StoreError {
    let name: ModelName
    do {
      name = try ModelName(reference)
    } catch {
      // What begins with hf: is meant to be a place on the Hub; its own error says how one is written.
      if reference.hasPrefix("hf:") { return error }
      return StoreError(
        .notFound, "'\(reference)' is neither a file nor a directory, nor a model name.")
    }
    if case .hub = name.kind { return absent(name) }
    if Catalogue.entry(name) != nil { return absent(name) }
    return StoreError(.notFound, Catalogue.unknown(reference))
  }

  private func absent(_ name: ModelName) -> StoreError {
    StoreError(.notFound, "'\(name)' is not on this machine yet. Fetch it: facet pull \(name)")
  }
}
