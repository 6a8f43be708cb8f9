// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import Foundation

/// A model of the local library.
public struct StoredModel: Sendable, Hashable {
  /// The name, `gemma3:270m`.
  public let name: String
  /// One line about the model, when the catalogue or its page has one.
  public let description: String
  /// Where it came from: `python:…` or `hf:owner/name@commit`.
  public let source: String
  /// The terms that came with it.
  public let licence: Licence
  /// The SHA-256 of its one file, or of the list of its files.
  public let digest: String
  /// The sum of its files' sizes.
  public let byteCount: Int
  /// Its files.
  public let files: [StoredFile]
  /// When it was pulled or copied.
  public let pulled: Date
  /// What a loader opens: the file itself, or a directory of the model's files.
  public let path: String
  /// What was given to it when it was made here; nil: nothing.
  public let settings: ModelSettings?
}

/// A file of a stored model.
public struct StoredFile: Sendable, Hashable, Codable {
  /// The name it had at its source.
  public let name: String
  /// The SHA-256 of its bytes, which also names it in the library.
  public let sha256: String
  /// Its size.
  public let byteCount: Int

  package init(name: String, sha256: String, byteCount: Int) {
    self.name = name
    self.sha256 = sha256
    self.byteCount = byteCount
  }
}
