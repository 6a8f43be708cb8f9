// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import Foundation

extension ModelStore {
  /// Whether a file with this SHA-256 is here, as part of a model or sent by a client.
  public func holds(_ sha256: String) -> Bool {
    SHA256.isDigest(sha256)
      && (DiskFile.exists(layout.blob(sha256)) || DiskFile.exists(layout.upload(sha256)))
  }

  /// Begins to take in a file whose SHA-256 is announced to be `sha256`.
  ///
  /// It is kept apart until a model is made of it. What is left of files that never arrived whole goes
  /// after a day.
  public func receive(_ sha256: String) throws(StoreError) -> UploadedFile {
    guard SHA256.isDigest(sha256) else {
      throw StoreError(
        .invalidName, "'\(sha256)' is no SHA-256; it must be 64 hexadecimal digits.")
    }
    for name in try DiskFile.names(in: layout.uploads) where name.hasPrefix("partial-") {
      let path = "\(layout.uploads)/\(name)"
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      if let date = attributes?[.modificationDate] as? Date, date.timeIntervalSinceNow < -86_400 {
        try DiskFile.remove(path)
      }
    }
    return try UploadedFile(sha256, in: layout)
  }

  /// Makes a model called `name` of one that the library has.
  ///
  /// The files are shared; `settings` take the place of the other's.
  @discardableResult
  public func make(
    _ name: String, from other: String, settings: ModelSettings?
  ) throws(StoreError) -> StoredModel {
    let name = try ownName(name)
    let other = try ModelName(other)
    return try FileLock.with(layout.storeLock) { () throws(StoreError) in
      guard var manifest = try Manifest.read(layout.manifest(other)) else {
        throw StoreError(.notFound, "'\(other)' is not in the library. facet list shows what is.")
      }
      manifest.name = name.description
      manifest.settings = settings ?? manifest.settings
      try record(manifest, as: name)
      return stored(manifest)
    }
  }

  /// Makes a model called `name` of files that the library holds, each a name and a SHA-256.
  ///
  /// `check` is given the path that a loader would open, and throws when that is no model: then nothing
  /// is made.
  @discardableResult
  public func make(
    _ name: String, of files: [String: String], licence: Licence?, settings: ModelSettings?,
    check: (String) throws -> Void
  ) throws -> StoredModel {
    let name = try ownName(name)
    var parts: [StoredFile] = []
    for (file, sha256) in files.sorted(by: { $0.key < $1.key }) {
      guard HubReference.isPath(file) else {
        throw StoreError(.invalidName, "'\(file)' is no name of a file of a model.")
      }
      guard SHA256.isDigest(sha256), let size = DiskFile.byteCount(held(sha256)) else {
        throw StoreError(.notFound, "The file '\(file)' with sha256:\(sha256) has not been sent.")
      }
      parts.append(StoredFile(name: file, sha256: sha256, byteCount: size))
    }
    guard !parts.isEmpty else {
      throw StoreError(.invalidName, "A model needs at least one file.")
    }
    var manifest = Manifest(
      name: name, description: "", source: "made here",
      licence: licence ?? .named(nil, page: ""), files: parts)
    manifest.settings = settings
    try checkDraft(manifest, check)
    return try FileLock.with(layout.storeLock) { () throws(StoreError) in
      for part in parts where !DiskFile.exists(layout.blob(part.sha256)) {
        try DiskFile.makeDirectory(layout.blobs)
        try DiskFile.move(layout.upload(part.sha256), to: layout.blob(part.sha256))
      }
      try DiskFile.synchronize(layout.blobs)
      if manifest.single == nil { try makeView(of: manifest) }
      try record(manifest, as: name)
      return stored(manifest)
    }
  }

  /// Where a file is now.
  private func held(_ sha256: String) -> String {
    let blob = layout.blob(sha256)
    return DiskFile.exists(blob) ? blob : layout.upload(sha256)
  }

  /// Shows `check` the files under their names, before they are anything.
  private func checkDraft(_ manifest: Manifest, _ check: (String) throws -> Void) throws {
    if let single = manifest.single { return try check(held(single.sha256)) }
    let draft = "\(layout.partials)/draft-\(UUID().uuidString)"
    defer { try? DiskFile.remove(draft) }
    for file in manifest.files {
      let link = "\(draft)/\(file.name)"
      try DiskFile.makeDirectory(DiskFile.parent(link))
      try DiskFile.wrap("write", link) {
        try FileManager.default.createSymbolicLink(
          atPath: link, withDestinationPath: held(file.sha256))
      }
    }
    try check(draft)
  }

  private func ownName(_ text: String) throws(StoreError) -> ModelName {
    let name = try ModelName(text)
    guard case .library = name.kind else {
      throw StoreError(
        .invalidName,
        "A model made here needs a name of your own, such as my-gemma:v1; '\(text)' is a place on the "
          + "Hugging Face Hub.")
    }
    return name
  }
}

extension ModelStore {
  /// A file or directory outside the library as a model, called by its file's name.
  public func describe(file path: String) throws(StoreError) -> StoredModel {
    let path = try locate(path)
    let last = path.split(separator: "/").last.map(String.init) ?? path
    let stem = last.lowercased().hasSuffix(".gguf") ? String(last.dropLast(5)) : last
    let name = String(stem.lowercased().map { ModelName.isWord("a\($0)") ? $0 : "-" })
    let size = DiskFile.byteCount(path) ?? DiskFile.byteCount(below: path)
    return StoredModel(
      name: name + ":local", description: "", source: path, licence: .named(nil, page: ""),
      digest: SHA256.hex([UInt8](path.utf8)), byteCount: size, files: [], pulled: .now, path: path,
      settings: nil)
  }
}
