// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The name of a part of a file: `NAME-00001-of-00003.EXTENSION`.
package struct SplitFile: Sendable, Hashable {
  /// What stands before the numbers, and after them.
  package let stem: String
  package let suffix: String
  package let part: Int
  package let count: Int

  /// Reads a name; nil when it is not that of a part.
  package init?(_ name: String) {
    guard let dot = name.lastIndex(of: ".") else { return nil }
    let fields = name[..<dot].split(separator: "-", omittingEmptySubsequences: false)
    guard fields.count >= 4, fields[fields.count - 2] == "of",
      let count = Self.number(fields[fields.count - 1]),
      let part = Self.number(fields[fields.count - 3]), part >= 1, part <= count
    else { return nil }
    stem = fields.dropLast(3).joined(separator: "-")
    suffix = String(name[dot...])
    self.part = part
    self.count = count
  }

  private static func number(_ digits: Substring) -> Int? {
    digits.utf8.count == 5 && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
      ? Int(digits) : nil
  }

  /// A file, or the parts of one.
  package struct Group: Sendable, Hashable {
    /// The name by which it is shown and may be chosen: the file's, or the first part's.
    package let label: String
    package let files: [HubFile]
    /// How many parts there should be.
    package let count: Int

    /// The number of the first part that is not there.
    package var missingPart: Int? {
      guard count > 1 else { return nil }
      let there = Set(files.compactMap { SplitFile($0.name)?.part })
      return (1...count).first { !there.contains($0) }
    }

    /// Whether `text` stands in the name, whatever the case.
    package func contains(_ text: String) -> Bool {
      label.lowercased().contains(text.lowercased())
    }

    /// Whether `text` stands in the name between dots, hyphens and slashes: `Q4_K` is a word of
    /// `x-Q4_K.gguf`, not of `x-Q4_K_M.gguf`.
    package func hasWord(_ text: String) -> Bool {
      let name = label.lowercased(), text = text.lowercased()
      if name == text || name == text + ".gguf" { return true }
      let separated = name.split { ".-/".contains($0) }.joined(separator: "/")
      let wanted = text.split { ".-/".contains($0) }.joined(separator: "/")
      return !wanted.isEmpty && "/\(separated)/".contains("/\(wanted)/")
    }
  }

  /// Puts the parts of one file together, in the order of their names.
  package static func groups(_ files: [HubFile]) -> [Group] {
    var parts: [String: [HubFile]] = [:]
    for file in files {
      let split = SplitFile(file.name)
      let key = split.map { "\($0.stem)/\($0.count)\($0.suffix)" } ?? file.name
      parts[key, default: []].append(file)
    }
    return parts.values.map { files in
      let files = files.sorted { $0.name < $1.name }
      return Group(
        label: files[0].name, files: files, count: SplitFile(files[0].name)?.count ?? 1)
    }.sorted { $0.label < $1.label }
  }
}
