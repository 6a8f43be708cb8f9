// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Finds the longest of a set of pieces that begins at a place in a text: a trie whose nodes keep
/// their children in a list, with a table for the first byte, where most searches end.
struct PieceTrie: Sendable {
  private struct Node: Sendable {
    var byte: UInt8
    var child: Int32 = -1
    var sibling: Int32 = -1
    var token: TokenID = -1
    var isControl = false
  }

  private var nodes: [Node] = []
  private var roots = [Int32](repeating: -1, count: 256)

  /// Whether there is nothing to find.
  var isEmpty: Bool { nodes.isEmpty }

  /// Adds a piece; an empty one and one that is already there change nothing.
  mutating func insert(_ piece: some Sequence<UInt8>, token: TokenID, isControl: Bool) {
    var current = -1
    for byte in piece { current = child(of: current, byte) }
    guard current >= 0, nodes[current].token < 0 else { return }
    nodes[current].token = token
    nodes[current].isControl = isControl
  }

  private mutating func child(of parent: Int, _ byte: UInt8) -> Int {
    var candidate = parent < 0 ? roots[Int(byte)] : nodes[parent].child
    while candidate >= 0 {
      if nodes[Int(candidate)].byte == byte { return Int(candidate) }
      candidate = nodes[Int(candidate)].sibling
    }
    let made = Int32(truncatingIfNeeded: nodes.count)
    var node = Node(byte: byte)
    if parent < 0 {
      roots[Int(byte)] = made
    } else {
      node.sibling = nodes[parent].child
      nodes[parent].child = made
    }
    nodes.append(node)
    return Int(made)
  }

  /// A piece found in a text.
  struct Match: Equatable {
    var token: TokenID
    var end: Int
    var isControl: Bool
  }

  /// The longest piece that begins at `start` and ends by `end`; control pieces only when asked for.
  func longestMatch(in text: [UInt8], from start: Int, to end: Int, controls: Bool) -> Match? {
    var best: Match?
    var index = start
    var node = start < end ? roots[Int(text[start])] : -1
    while node >= 0 {
      let found = nodes[Int(node)]
      index += 1
      if found.token >= 0 && (controls || !found.isControl) {
        best = Match(token: found.token, end: index, isControl: found.isControl)
      }
      guard index < end else { break }
      node = found.child
      while node >= 0 && nodes[Int(node)].byte != text[index] { node = nodes[Int(node)].sibling }
    }
    return best
  }
}
