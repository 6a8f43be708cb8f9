// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import Foundation

/// What `manifests/NAME/TAG.json` says.
package struct Manifest: Codable, Sendable, Hashable {
  /// The version of this layout.
  package var version = 1
  package var name: String
  package var description: String
  package var source: String
  package var licence: Licence
  package var files: [StoredFile]
  /// When it was pulled or copied, ISO 8601.
  package var pulled: String
  /// What was given to it when it was made here.
  package var settings: ModelSettings?

  /// The file that is the whole model, when there is one: the only GGUF.
  package var single: StoredFile? {
    let weights = files.filter { $0.name.lowercased().hasSuffix(".gguf") }
    return weights.count == 1 ? weights[0] : nil
  }

  /// The SHA-256 of the one file, or of the sorted list of names and checksums.
  package var digest: String {
    if let single { return single.sha256 }
    let lines = files.sorted { $0.name < $1.name }.map { "\($0.sha256)  \($0.name)\n" }
    return SHA256.hex([UInt8](lines.joined().utf8))
  }

  package var byteCount: Int { files.reduce(0) { $0 + $1.byteCount } }

  /// The text that is stored beside the manifest.
  package var noticeText: String {
    "\(name): \(licence.name)\n\n\(licence.notice)\n\n\(licence.url)\n"
  }

  package init(
    name: ModelName, description: String, source: String, licence: Licence, files: [StoredFile]
  ) {
    self.name = name.description
    self.description = description
    self.source = source
    self.licence = licence
    self.files = files
    self.pulled = Date().formatted(.iso8601)
  }

  /// Reads the manifest at `path`; nil when there is none.
  package static func read(_ path: String) throws(StoreError) -> Manifest? {
    guard let data = try DiskFile.read(path) else { return nil }
    guard let manifest = try? JSONDecoder().decode(Manifest.self, from: data),
      manifest.version == 1, manifest.files.count <= 20_000,
      manifest.files.allSatisfy({ $0.isPlausible })
    else {
      throw StoreError(
        .corrupt,
        "The manifest '\(path)' is damaged or was written by a newer version. "
          + "Delete it and pull the model again.")
    }
    return manifest
  }

  /// Writes the manifest to `path`, whole or not at all.
  package func write(_ path: String) throws(StoreError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else {
      throw StoreError(.fileSystem, "The manifest of '\(name)' cannot be encoded.")
    }
    try DiskFile.replace(path, with: data)
  }
}

extension StoredFile {
  /// Larger than any file of a model; so many of them that a sum overflows do not fit in a list.
  package static let largestByteCount = 1 << 44

  /// A manifest is only a file: its entries must not lead out of the library.
  fileprivate var isPlausible: Bool {
    (0...Self.largestByteCount).contains(byteCount) && HubReference.isPath(name)
      && SHA256.isDigest(sha256)
  }
}
