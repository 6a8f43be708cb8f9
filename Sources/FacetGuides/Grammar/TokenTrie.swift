// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetTokenizer

/// The pieces of a vocabulary that stand for text, as a trie over their bytes.
///
/// The nodes lie in preorder: a walk goes through them from front to back and jumps over what it need
/// not see.
package struct TokenTrie: Sendable, Equatable {
  /// The byte that leads to each node.
  package let bytes: [UInt8]
  /// Bytes from the root to each node.
  package let depths: [UInt16]
  /// The node after the last below each node.
  package let ends: [Int32]
  /// Where each node's tokens begin in `tokens`; one more than there are nodes.
  package let tokenStarts: [Int32]
  package let tokens: [TokenID]
  /// The most bytes of a token.
  let longest: Int

  /// Tokens with more bytes are left out: no tokenizer has them.
  package static let mostBytes = 1024

  /// The tokens below `count` of `tokenizer` that are text, and `marks`: no other control tokens, no
  /// unknown one.
  package init(_ tokenizer: Tokenizer, count: Int, marks: [TokenID: GuideMark] = [:]) {
    var spelling = Spelling()
    for token in 0..<TokenID(clamping: min(count, tokenizer.vocabularySize)) {
      switch tokenizer.kind(token) {
      case .normal, .userDefined, .byte:
        tokenizer.appendBytes(of: token, to: &spelling.bytes)
        spelling.end(token)
      case .control, .unknown, .unused, nil: continue
      }
    }
    for (token, mark) in marks {
      spelling.bytes += mark.bytes
      spelling.end(token)
    }
    self.init(spelling)
  }

  private init(_ spelling: Spelling) {
    let order = spelling.sorted()
    var bytes: [UInt8] = []
    var depths: [UInt16] = []
    var ends: [Int32] = []
    var starts: [Int32] = []
    var tokens: [TokenID] = []
    // No trie has more nodes than its tokens have bytes.
    let most = spelling.bytes.count
    bytes.reserveCapacity(most)
    depths.reserveCapacity(most)
    ends.reserveCapacity(most)
    starts.reserveCapacity(most + 1)
    tokens.reserveCapacity(order.count)
    var path: [Int] = []
    var previous = 0..<0
    for index in order {
      let piece = spelling.range(index)
      let common = spelling.common(previous, piece)
      while path.count > common { ends[path.removeLast()] = Int32(bytes.count) }
      for depth in common..<piece.count {
        path.append(bytes.count)
        bytes.append(spelling.bytes[piece.lowerBound + depth])
        depths.append(UInt16(depth + 1))
        ends.append(0)
        starts.append(Int32(tokens.count))
      }
      tokens.append(spelling.tokens[index])
      previous = piece
    }
    for node in path { ends[node] = Int32(bytes.count) }
    starts.append(Int32(tokens.count))
    self.init(bytes: bytes, depths: depths, ends: ends, tokenStarts: starts, tokens: tokens)
  }

  /// A trie of its parts, which belong together.
  package init(
    bytes: [UInt8], depths: [UInt16], ends: [Int32], tokenStarts: [Int32], tokens: [TokenID]
  ) {
    self.bytes = bytes
    self.depths = depths
    self.ends = ends
    self.tokenStarts = tokenStarts
    self.tokens = tokens
    longest = Int(depths.max() ?? 0)
  }

  /// How many nodes there are.
  package var nodeCount: Int { bytes.count }

  /// The tokens that end at `node`.
  func tokens(at node: Int) -> Range<Int> {
    Int(tokenStarts[node])..<Int(tokenStarts[node + 1])
  }

  /// The nodes right below `node`.
  func children(of node: Int) -> [Int] {
    var result: [Int] = []
    var child = node + 1
    while child < Int(ends[node]) {
      result.append(child)
      child = Int(ends[child])
    }
    return result
  }
}

/// Tokens and their bytes, one after the other.
private struct Spelling {
  var bytes: [UInt8] = []
  private(set) var tokens: [TokenID] = []
  private var starts: [Int] = [0]

  /// Ends the token whose bytes were added last.
  mutating func end(_ token: TokenID) {
    tokens.append(token)
    starts.append(bytes.count)
  }

  /// Where the bytes of the token at `index` lie.
  func range(_ index: Int) -> Range<Int> { starts[index]..<starts[index + 1] }

  /// How many bytes two tokens have in common at their beginning.
  func common(_ left: Range<Int>, _ right: Range<Int>) -> Int {
    let most = min(left.count, right.count)
    var count = 0
    while count < most, bytes[left.lowerBound + count] == bytes[right.lowerBound + count] {
      count += 1
    }
    return count
  }

  /// The places of the tokens that can be used, by their bytes.
  func sorted() -> [Int] {
    // Most are told apart by their first eight bytes.
    var keys: [(head: UInt64, index: Int)] = []
    keys.reserveCapacity(tokens.count)
    for index in tokens.indices {
      let range = range(index)
      guard !range.isEmpty, range.count <= TokenTrie.mostBytes else { continue }
      var head: UInt64 = 0
      for place in 0..<min(8, range.count) {
        head |= UInt64(bytes[range.lowerBound + place]) << UInt64(56 - 8 * place)
      }
      keys.append((head, index))
    }
    keys.sort { left, right in
      if left.head != right.head { return left.head < right.head }
      let (first, second) = (range(left.index), range(right.index))
      let common = common(first, second)
      if common < first.count, common < second.count {
        return bytes[first.lowerBound + common] < bytes[second.lowerBound + common]
      }
      return first.count == second.count ? left.index < right.index : first.count < second.count
    }
    return keys.map(\.index)
  }
}
