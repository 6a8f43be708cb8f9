// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Finds the modules that a Swift file imports.
enum ImportScanner {
  /// What may stand between the start of a line and the word `import`.
  private static let modifiers: Set<Substring> = [
    "public", "package", "internal", "fileprivate", "private",
  ]
  /// What may stand between `import` and the module: `import struct Foundation.Date`.
  private static let kinds: Set<Substring> = [
    "struct", "class", "enum", "protocol", "func", "var", "let", "typealias", "actor", "macro",
  ]

  /// The modules imported by `source`, in order, each once.
  ///
  /// What stands in a string of several lines is no Swift: it may be a program in another language.
  static func modules(in source: String) -> [String] {
    var found: [String] = []
    var isInString = false
    for line in source.split(separator: "\n") {
      if line.split(separator: "\"\"\"", omittingEmptySubsequences: false).count % 2 == 0 {
        isInString.toggle()
      }
      guard !isInString else { continue }
      guard let module = module(importedBy: line), !found.contains(module) else { continue }
      found.append(module)
    }
    return found
  }

  private static func module(importedBy line: Substring) -> String? {
    var words = line.split(whereSeparator: \.isWhitespace)[...]
    while let word = words.first, word.hasPrefix("@") || modifiers.contains(word) {
      words = words.dropFirst()
    }
    guard words.first == "import" else { return nil }
    words = words.dropFirst()
    if let word = words.first, kinds.contains(word) { words = words.dropFirst() }
    return words.first?.split { $0 == "." || $0 == ";" }.first.map(String.init)
  }
}
