// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// One target of Package.swift, read from the manifest's text.
///
/// The manifest keeps to literals (no computed names), which is what makes it readable here without
/// running the package manager inside its own tests.
struct ManifestTarget: Equatable {
  var name: String
  var dependencies: [String]
  /// The `path:` argument; nil for the usual place.
  var path: String?
  var isTest: Bool

  private static let openings = [
    (".executableTarget(", false), (".testTarget(", true), (".target(", false),
    (".macro(", false),
  ]

  /// The targets of `manifest`, in its order.
  static func all(in manifest: String) -> [ManifestTarget] {
    let source = withoutComments(manifest)
    var targets: [ManifestTarget] = []
    var rest = source[...]
    while !rest.isEmpty {
      if let (opening, isTest) = openings.first(where: { rest.hasPrefix($0.0) }) {
        let call = balanced(rest.dropFirst(opening.count))
        // `.target(name: "X")` inside a dependency list has no list of its own and is not a target.
        if let name = string(after: "name:", in: call) {
          targets.append(
            ManifestTarget(
              name: name, dependencies: dependencies(in: call),
              path: string(after: "path:", in: call), isTest: isTest))
        }
        rest = rest.dropFirst(opening.count + call.count)
      } else {
        rest = rest.dropFirst()
      }
    }
    return targets
  }

  /// Names in `dependencies: [ … ]`: plain strings and the name of each product.
  private static func dependencies(in call: Substring) -> [String] {
    guard let start = call.ranges(of: "dependencies:").first?.upperBound,
      let bracket = call[start...].firstIndex(of: "[")
    else { return [] }
    let list = balanced(call[call.index(after: bracket)...])
    var names: [String] = []
    var rest = list
    while let quote = rest.firstIndex(of: "\"") {
      let before = rest[..<quote]
      let after = rest[rest.index(after: quote)...]
      guard let end = after.firstIndex(of: "\"") else { break }
      let label = before.split { $0 == "," || $0 == "(" || $0.isWhitespace }.last
      if label != "package:" { names.append(String(after[..<end])) }
      rest = after[after.index(after: end)...]
    }
    return names
  }

  private static func string(after label: String, in call: Substring) -> String? {
    guard let start = call.ranges(of: label).first?.upperBound else { return nil }
    let parts = call[start...].split(separator: "\"", omittingEmptySubsequences: false)
    return parts.count > 1 && parts[0].allSatisfy(\.isWhitespace) ? String(parts[1]) : nil
  }

  /// The text up to the bracket that closes the one just opened.
  private static func balanced(_ text: Substring) -> Substring {
    var depth = 1
    for index in text.indices {
      switch text[index] {
      case "(", "[": depth += 1
      case ")", "]": depth -= 1
      default: continue
      }
      if depth == 0 { return text[..<index] }
    }
    return text
  }

  private static func withoutComments(_ text: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      // "https://" is the one place where two slashes do not begin a comment.
      guard
        let comment = line.ranges(of: "//").first(where: { !line[..<$0.lowerBound].hasSuffix(":") })
      else { return line }
      return line[..<comment.lowerBound]
    }
    return lines.joined(separator: "\n")
  }
}
