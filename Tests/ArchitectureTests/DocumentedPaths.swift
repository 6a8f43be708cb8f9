// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Finds the paths of this repository that a Markdown page names: in code spans, in fenced blocks (the
/// annotated tree of the README is one) and as targets of links.
enum DocumentedPaths {
  /// The folders a path may begin with; anything else with a slash in it is not a path of ours.
  static let folders = [
    "Sources/", "Tests/", "Examples/", "Benchmarks/", "docs/", "scripts/", "tools/", ".ci/",
  ]
  /// Files at the root that pages speak of.
  static let rootFiles: Set<String> = [
    "Package.swift", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", ".swift-format",
  ]

  /// The paths named by `markdown`, relative to the root; `folder` is where the page lies, from where
  /// its links are resolved.
  static func paths(in markdown: String, folder: String) -> Set<String> {
    var found: Set<String> = []
    for word in words(of: markdown) where isPath(word) { found.insert(word) }
    for target in linkTargets(of: markdown) { found.insert(resolve(target, from: folder)) }
    return found
  }

  /// The contents of the fenced blocks of `language`.
  static func fencedBlocks(of markdown: String, language: String) -> [String] {
    markdown.ranges(of: "```\(language)\n").map { range in
      let rest = markdown[range.upperBound...]
      return String(rest[..<(rest.ranges(of: "```").first?.lowerBound ?? rest.endIndex)])
    }
  }

  private static func isPath(_ word: String) -> Bool {
    // Patterns and shortened paths (`Sources/*`, `Sources/<module>`, `Sources/…`) name no one file.
    guard !word.contains(where: { "*<>…{}$".contains($0) }) else { return false }
    return rootFiles.contains(word) || folders.contains { word.hasPrefix($0) }
  }

  private static func words(of markdown: String) -> [String] {
    let separators: Set<Character> = ["`", "(", ")", "[", "]", "\"", "'", ",", ";", "|", "#"]
    return markdown.split { $0.isWhitespace || separators.contains($0) }.map { word in
      var word = word
      while let last = word.last, ".:!?".contains(last) { word = word.dropLast() }
      return String(word)
    }
  }

  /// What stands in `](…)`, without anchors and without addresses of other places.
  private static func linkTargets(of markdown: String) -> [String] {
    markdown.ranges(of: "](").compactMap { range in
      let target = markdown[range.upperBound...].prefix { $0 != ")" && $0 != "#" && $0 != "\n" }
      return target.isEmpty || target.contains(":") ? nil : String(target)
    }
  }

  private static func resolve(_ target: String, from folder: String) -> String {
    var parts: [Substring] = folder.split(separator: "/")
    for part in target.split(separator: "/") where part != "." {
      if part == "..", !parts.isEmpty { parts.removeLast() } else { parts.append(part) }
    }
    return parts.joined(separator: "/")
  }
}
