// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint

/// The name of a model: a library name such as `gemma3:270m`, or a repository of the Hugging Face
/// Hub such as `hf:owner/name@revision:file.gguf`.
///
/// Library names are `name` or `name:tag`, of letters, digits, `.`, `_` and `-`, beginning with a
/// letter or a digit; case does not matter and is stored lower. Without a tag the catalogue's
/// default for that name is meant (`gemma3` is `gemma3:270m`), or `latest` for a name of your own.
package struct ModelName: Sendable, Hashable, CustomStringConvertible {
  /// What kind of name it is.
  package enum Kind: Sendable, Hashable {
    /// A name of the library: name and tag.
    case library(name: String, tag: String)
    /// A repository of the Hub.
    case hub(HubReference)
  }

  package let kind: Kind

  /// Parses what a user typed.
  package init(_ text: String) throws(StoreError) {
    if text.hasPrefix("hf:") {
      kind = .hub(try HubReference(text.dropFirst(3), name: text))
      return
    }
    let parts = text.lowercased().split(
      separator: ":", maxSplits: 1, omittingEmptySubsequences: false
    ).map { String($0) }
    guard parts.allSatisfy(Self.isWord), parts[0] != "hf" else { throw Self.malformed(text) }
    let name = Catalogue.familyAliases[parts[0]] ?? parts[0]
    let tag = parts.count > 1 ? parts[1] : Catalogue.defaultTags[name] ?? "latest"
    kind = .library(name: name, tag: Catalogue.canonicalTag(tag, of: name))
  }

  /// The name as it is shown and as it may be typed.
  package var description: String {
    switch kind {
    case .library(let name, let tag): "\(name):\(tag)"
    case .hub(let reference): "hf:\(reference)"
    }
  }

  /// Where the manifest lies below `manifests/`, without `.json`.
  package var path: String {
    switch kind {
    case .library(let name, let tag): "\(name)/\(tag)"
    case .hub(let reference):
      "hf/\(reference.owner)/\(reference.repository)/"
        + Self.escaped("\(reference.revision)\(reference.selector.map { ":\($0)" } ?? "")")
    }
  }

  /// A file name made of the whole name, for locks and partial downloads.
  package var key: String { Self.escaped(description) }

  /// A word that may be part of a path: letters, digits, `.`, `_`, `-`, beginning with a letter or
  /// a digit, at most 96 characters.
  package static func isWord(_ text: String) -> Bool {
    guard let first = text.utf8.first, text.utf8.count <= 96 else { return false }
    return isAlphanumeric(first)
      && text.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2d || $0 == 0x2e || $0 == 0x5f }
  }

  /// `text` with everything but letters, digits, `.`, `_`, `-` and `@` as `%HH`, and no leading
  /// dot: one component of a path, whatever the text.
  ///
  /// A long one ends in its checksum instead.
  package static func escaped(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      let keeps =
        isAlphanumeric(byte) || [0x2d, 0x5f, 0x40].contains(byte) || byte == 0x2e && !result.isEmpty
      if keeps {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        result += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
      }
    }
    return result.utf8.count <= 160
      ? result : result.prefix(90) + "-" + SHA256.hex([UInt8](text.utf8))
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
  }

  private static func malformed(_ text: String) -> StoreError {
    StoreError(
      .invalidName,
      "'\(text)' is not a model name. Names look like gemma3:270m or hf:owner/name:file.gguf, "
        + "with letters, digits, '.', '_' and '-'.")
  }
}
