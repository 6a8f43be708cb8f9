// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetTokenizer

/// The pieces of a vocabulary that stand for text, as a trie over their bytes.
///
/// The nodes lie in preorder: a walk goes through them from front to back and jumps over what it need
/// not see.
package struct TokenTrie: Sendable {
  /// The byte that leads to each node.
  let bytes: [UInt8]
  /// Bytes from the root to each node.
  let depths: [UInt16]
  /// The node after the last below each node.
  let ends: [Int32]
  /// Where each node's tokens begin in `tokens`; one more than there are nodes.
  let tokenStarts: [Int32]
  let tokens: [TokenID]
  /// The most bytes of a token.
  let longest: Int

  /// Tokens with more bytes are left out: no tokenizer has them.
  private static let mostBytes = 1024

  /// The tokens below `count` of `tokenizer` that are text, and `marks`: no other control tokens, no
  /// unknown one.
  package init(_ tokenizer: Tokenizer, count: Int, marks: [TokenID: GuideMark] = [:]) {
    var pieces: [(token: TokenID, bytes: [UInt8])] = []
    pieces.reserveCapacity(count)
    for token in 0..<TokenID(clamping: min(count, tokenizer.vocabularySize)) {
      switch tokenizer.kind(token) {
      case .normal, .userDefined, .byte: pieces.append((token, tokenizer.bytes(of: token)))
      case .control, .unknown, .unused, nil: continue
      }
    }
    for (token, mark) in marks { pieces.append((token, mark.bytes)) }
    self.init(pieces)
  }

  /// The trie of `pieces`, none of which may stand for control.
  package init(_ pieces: [(token: TokenID, bytes: [UInt8])]) {
    let order = Self.sorted(pieces)
    var bytes: [UInt8] = []
    var depths: [UInt16] = []
    var ends: [Int32] = []
    var starts: [Int32] = []
    var tokens: [TokenID] = []
    var path: [Int] = []
    var previous: [UInt8] = []
    for index in order {
      let piece = pieces[index].bytes
      var common = 0
      while common < min(piece.count, previous.count), piece[common] == previous[common] {
        common += 1
      }
      while path.count > common { ends[path.removeLast()] = Int32(bytes.count) }
      for depth in common..<piece.count {
        path.append(bytes.count)
        bytes.append(piece[depth])
        depths.append(UInt16(depth + 1))
        ends.append(0)
        starts.append(Int32(tokens.count))
      }
      tokens.append(pieces[index].token)
      previous = piece
    }
    for node in path { ends[node] = Int32(bytes.count) }
    starts.append(Int32(tokens.count))
    self.bytes = bytes
    self.depths = depths
    self.ends = ends
    self.tokenStarts = starts
    self.tokens = tokens
    longest = Int(depths.max() ?? 0)
  }

  /// The places of the pieces that can be used, by their bytes.
  private static func sorted(_ pieces: [(token: TokenID, bytes: [UInt8])]) -> [Int] {
    // Most are told apart by their first eight bytes.
    var keys: [(head: UInt64, index: Int)] = []
    keys.reserveCapacity(pieces.count)
    for (index, piece) in pieces.enumerated()
    where !piece.bytes.isEmpty && piece.bytes.count <= mostBytes {
      var head: UInt64 = 0
      for place in 0..<8 {
        head = head << 8 | (place < piece.bytes.count ? UInt64(piece.bytes[place]) : 0)
      }
      keys.append((head, index))
    }
    keys.sort { left, right in
      if left.head != right.head { return left.head < right.head }
      let (first, second) = (pieces[left.index].bytes, pieces[right.index].bytes)
      if first != second { return first.lexicographicallyPrecedes(second) }
      return left.index < right.index
    }
    return keys.map(\.index)
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
