// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTokenizer
import Synchronization

/// The tokens that may come at a node, as far as that can be said of any stack below it.
struct NodeMask: Sendable {
  /// Tokens that end inside the node's rule, with at most this many repetitions done; ascending, each
  /// with those before it.
  var inside: [(count: Int32, tokens: TokenSet)] = []
  /// Tokens that end where the rule may, with exactly this many repetitions done.
  var ending: [(count: Int32, tokens: TokenSet)] = []
  /// Nodes of the trie behind the end of the rule, by the byte that leads there.
  var leaving: [UInt8: [Place]] = [:]

  struct Place: Sendable {
    var node: Int32
    /// Repetitions that were done before.
    var count: Int32
  }

  /// What a mask depends on where a rule calls no other: it is the same in all guides.
  struct Key: Sendable, Hashable {
    var expression: GrammarExpression
    var isCounted: Bool
    var offset: Int32
    var follow: ByteSet
  }

  /// Tokens inside the rule where `most` repetitions may still be done.
  func inside(most: Int32) -> TokenSet? {
    inside.last { $0.count <= most }?.tokens
  }
}

/// Masks that several guides share.
final class NodeMaskStore: Sendable {
  private let masks = Mutex<[NodeMask.Key: NodeMask]>([:])

  /// Masks kept at most: a large one takes a megabyte.
  private static let most = 96

  subscript(key: NodeMask.Key) -> NodeMask? {
    get { masks.withLock { $0[key] } }
    set {
      masks.withLock { masks in
        if masks.count >= Self.most { masks = [:] }
        masks[key] = newValue
      }
    }
  }
}

extension GuideMatcher {
  /// Walks the whole trie from `node`, above a stack of which nothing is known.
  mutating func makeMask(of node: Int32) throws(GuideError) -> NodeMask {
    let trie = guide.vocabulary.trie
    let follow = guide.program.rules[Int(guide.program.ruleOf[Int(node)])].follow
    var inside = [[TokenID]](repeating: [], count: trie.longest + 2)
    var ending = inside
    var result = NodeMask()
    path[0] = machine.state(at: node)
    var place = 0
    while place < trie.nodeCount {
      let (depth, byte) = (Int(trie.depths[place]), trie.bytes[place])
      let above = path[depth - 1]
      if follow.contains(byte), machine.traits[Int(above)].contains(.escapes) {
        result.leave(at: place, byte, machine.contents[Int(above)].escapes)
      }
      let state = machine.next(above, byte)
      path[depth] = state
      let traits = machine.traits[Int(state)]
      let (first, last) = (Int(trie.tokenStarts[place]), Int(trie.tokenStarts[place + 1]))
      if traits.contains(.goesOn) {
        let count = Int(machine.leastOfState[Int(state)])
        for index in first..<last { inside[count].append(trie.tokens[index]) }
      }
      if traits.contains(.escapes) {
        let counts = machine.contents[Int(state)].escapes
        for count in counts {
          for index in first..<last { ending[Int(count)].append(trie.tokens[index]) }
        }
        // Nothing below is visited, but it may stand behind the end of the rule.
        if !traits.contains(.goesOn) {
          for child in trie.children(of: place) where follow.contains(trie.bytes[child]) {
            result.leave(at: child, trie.bytes[child], counts)
          }
        }
      }
      place = traits.contains(.goesOn) ? place + 1 : Int(trie.ends[place])
      try checkWork()
    }
    result.fill(inside, ending, vocabulary: guide.vocabulary.count)
    return result
  }
}

extension NodeMask {
  fileprivate mutating func leave(at node: Int, _ byte: UInt8, _ counts: [Int32]) {
    for count in counts {
      leaving[byte, default: []].append(Place(node: Int32(node), count: count))
    }
  }

  /// Keeps the tokens found, by repetitions.
  fileprivate mutating func fill(
    _ insideTokens: [[TokenID]], _ endingTokens: [[TokenID]], vocabulary count: Int
  ) {
    var all: [TokenID] = []
    for (repetitions, tokens) in insideTokens.enumerated() where !tokens.isEmpty {
      all += tokens
      inside.append((Int32(repetitions), TokenSet(all, count: count)))
    }
    for (repetitions, tokens) in endingTokens.enumerated() where !tokens.isEmpty {
      ending.append((Int32(repetitions), TokenSet(tokens, count: count)))
    }
  }
}
