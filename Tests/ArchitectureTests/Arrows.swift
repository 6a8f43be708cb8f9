// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Which module depends on which, as written in one place: the manifest or the documentation.
struct Arrows: Equatable {
  /// Direct dependencies of each module, third-party products included.
  var direct: [String: Set<String>] = [:]

  /// The modules that have a line of their own.
  var modules: Set<String> { Set(direct.keys) }

  /// Everything that can be reached from `module` along the arrows, itself left out.
  func reachable(from module: String) -> Set<String> {
    var reached: Set<String> = []
    var open = Array(direct[module] ?? [])
    while let next = open.popLast() {
      if reached.insert(next).inserted { open += direct[next] ?? [] }
    }
    return reached
  }
}

extension Arrows {
  /// Reads the fenced block named "arrows" of a Markdown page.
  ///
  /// Its lines are `A → B, C`, or `A → nothing`. A page without the block has no arrows.
  init(markdown: String) {
    var inside = false
    for line in markdown.split(separator: "\n") {
      if line.hasPrefix("```") {
        inside = line == "```arrows"
      } else if inside {
        let halves = line.split(separator: "→")
        guard halves.count == 2, let from = Self.names(halves[0]).first else { continue }
        direct[from] = Set(Self.names(halves[1])).subtracting(["nothing"])
      }
    }
  }

  private static func names(_ text: Substring) -> [String] {
    text.split { $0 == "," || $0 == " " }.map(String.init)
  }

  /// Reads the targets of a package manifest that are not tests and lie in Sources.
  init(manifest: String) {
    for target in ManifestTarget.all(in: manifest) where !target.isTest && target.path == nil {
      direct[target.name] = Set(target.dependencies)
    }
  }
}
