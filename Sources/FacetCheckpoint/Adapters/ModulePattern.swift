// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A pattern over names of modules, as PEFT's configurations hold them: a regular expression that
/// must match the end of a name, from its beginning or from after a dot.
///
/// What names need is understood: letters, `.`, `*`, `+`, `?`, `|`, groups, sets, `^`, `$`, `\d`,
/// `\w` and escaped signs. All ways to match are followed at once, so that no pattern takes long.
struct ModulePattern {
  private indirect enum Node {
    case any
    case oneOf([ClosedRange<UInt8>], negated: Bool)
    case start
    case end
    case group([[Node]])
    case repeated(Node, least: Int, isEndless: Bool)
  }

  private let alternatives: [[Node]]

  /// Reads `text`; nil when it holds what is not understood.
  init?(_ text: String) {
    guard text.utf8.count <= 1000 else { return nil }
    var parser = Parser(bytes: Array(text.utf8))
    guard let alternatives = parser.alternatives(depth: 0), parser.isAtEnd else { return nil }
    self.alternatives = alternatives
  }

  /// True when `name` or what follows one of its dots is in the pattern.
  func matches(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    var starts: Set<Int> = [0]
    for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: ".") {
      starts.insert(index + 1)
    }
    var walk = Walk(bytes: bytes)
    return walk.ends(.group(alternatives), from: starts).contains(bytes.count)
  }
}

extension ModulePattern {
  /// Where a pattern may end in a name.
  private struct Walk {
    let bytes: [UInt8]
    /// Far more than an honest pattern takes.
    var stepsLeft = 100_000

    mutating func ends(_ node: Node, from starts: Set<Int>) -> Set<Int> {
      stepsLeft -= 1 + starts.count
      guard stepsLeft > 0 else { return [] }
      switch node {
      case .any: return Set(starts.filter { $0 < bytes.count }.map { $0 + 1 })
      case .oneOf(let ranges, let negated):
        return Set(
          starts.filter { start in
            start < bytes.count && ranges.contains { $0.contains(bytes[start]) } != negated
          }.map { $0 + 1 })
      case .start: return starts.intersection([0])
      case .end: return starts.intersection([bytes.count])
      case .group(let alternatives):
        var all: Set<Int> = []
        for nodes in alternatives {
          var places = starts
          for node in nodes where !places.isEmpty { places = ends(node, from: places) }
          all.formUnion(places)
        }
        return all
      case .repeated(let inner, let least, let isEndless):
        return repeats(inner, from: starts, least: least, isEndless: isEndless)
      }
    }

    private mutating func repeats(
      _ node: Node, from starts: Set<Int>, least: Int, isEndless: Bool
    ) -> Set<Int> {
      var new = ends(node, from: starts)
      var all = least == 0 ? starts.union(new) : new
      while isEndless, !new.isEmpty {
        new = ends(node, from: new).subtracting(all)
        all.formUnion(new)
      }
      return all
    }
  }

  private struct Parser {
    let bytes: [UInt8]
    var offset = 0

    var isAtEnd: Bool { offset == bytes.count }
    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
      guard next == byte else { return false }
      offset += 1
      return true
    }

    mutating func alternatives(depth: Int) -> [[Node]]? {
      guard depth < 16 else { return nil }
      var all: [[Node]] = []
      repeat {
        guard let nodes = sequence(depth: depth) else { return nil }
        all.append(nodes)
      } while take(UInt8(ascii: "|"))
      return all
    }

    private mutating func sequence(depth: Int) -> [Node]? {
      var nodes: [Node] = []
      while let byte = next, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
        guard let atom = atom(depth: depth) else { return nil }
        nodes.append(quantified(atom))
      }
      return nodes
    }

    private mutating func quantified(_ node: Node) -> Node {
      let quantifiers: [(sign: UInt8, least: Int, isEndless: Bool)] = [
        (UInt8(ascii: "*"), 0, true), (UInt8(ascii: "+"), 1, true), (UInt8(ascii: "?"), 0, false),
      ]
      for quantifier in quantifiers where take(quantifier.sign) {
        // A lazy quantifier takes the same names.
        _ = take(UInt8(ascii: "?"))
        return .repeated(node, least: quantifier.least, isEndless: quantifier.isEndless)
      }
      return node
    }

    private mutating func atom(depth: Int) -> Node? {
      guard let byte = next else { return nil }
      offset += 1
      switch byte {
      case UInt8(ascii: "."): return .any
      case UInt8(ascii: "^"): return .start
      case UInt8(ascii: "$"): return .end
      case UInt8(ascii: "["): return set()
      case UInt8(ascii: "\\"): return escape().map { .oneOf($0, negated: false) }
      case UInt8(ascii: "("):
        if take(UInt8(ascii: "?")), !take(UInt8(ascii: ":")) { return nil }
        guard let inner = alternatives(depth: depth + 1), take(UInt8(ascii: ")")) else {
          return nil
        }
        return .group(inner)
      case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "{"),
        UInt8(ascii: "}"), UInt8(ascii: "]"):
        return nil
      default: return .oneOf([byte...byte], negated: false)
      }
    }

    /// What a backslash introduces.
    private mutating func escape() -> [ClosedRange<UInt8>]? {
      guard let byte = next else { return nil }
      offset += 1
      let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
      let letters = [
        UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      ]
      switch byte {
      case UInt8(ascii: "d"): return [digits]
      case UInt8(ascii: "w"): return letters + [digits, UInt8(ascii: "_")...UInt8(ascii: "_")]
      case let byte where digits.contains(byte) || letters.contains { $0.contains(byte) }:
        return nil
      default: return [byte...byte]
      }
    }

    private mutating func set() -> Node? {
      let negated = take(UInt8(ascii: "^"))
      var ranges: [ClosedRange<UInt8>] = []
      while !take(UInt8(ascii: "]")) {
        guard let byte = next else { return nil }
        offset += 1
        if byte == UInt8(ascii: "\\") {
          guard let escaped = escape() else { return nil }
          ranges += escaped
        } else if offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "-"),
          bytes[offset + 1] != UInt8(ascii: "]")
        {
          let last = bytes[offset + 1]
          guard last >= byte else { return nil }
          ranges.append(byte...last)
          offset += 2
        } else {
          ranges.append(byte...byte)
        }
      }
      return ranges.isEmpty ? nil : .oneOf(ranges, negated: negated)
    }
  }
}
