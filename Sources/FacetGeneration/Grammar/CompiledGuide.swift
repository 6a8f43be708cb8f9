// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetTokenizer
import Synchronization

/// A vocabulary as guides see it.
package struct GuideVocabulary: Sendable {
  package let tokenizer: Tokenizer
  /// Tokens that the model has.
  package let count: Int
  package let trie: TokenTrie
  /// Tokens that end an answer.
  package let stops: [TokenID]

  /// Looks at the first `count` tokens of `tokenizer`.
  package init(_ tokenizer: Tokenizer, count: Int) {
    self.tokenizer = tokenizer
    self.count = count
    trie = TokenTrie(tokenizer, count: count)
    stops = tokenizer.special.stop.filter { $0 >= 0 && Int($0) < count }.sorted()
  }
}

/// A guide for one vocabulary, shared by all answers that follow it.
package final class CompiledGuide: Sendable {
  /// What is known of a node, whatever stack it stands above.
  struct NodeMask: Sendable {
    /// Tokens that end inside the node's rule, by the greatest number of repetitions that they finish.
    var inside: [(count: Int32, tokens: TokenSet)] = []
    /// Nodes of the trie where the rule may have ended, and how many repetitions were finished there.
    var escapes: [(node: Int32, count: Int32)] = []
  }

  package let program: GrammarProgram
  package let vocabulary: GuideVocabulary
  private let masks = Mutex<[Int32: NodeMask]>([:])

  /// A guide along `program`.
  package init(_ program: GrammarProgram, _ vocabulary: GuideVocabulary) {
    self.program = program
    self.vocabulary = vocabulary
  }

  /// The mask of `node`, where it is known.
  func mask(of node: Int32) -> NodeMask? { masks.withLock { $0[node] } }

  /// Keeps the mask of `node`.
  func keep(_ mask: NodeMask, of node: Int32) {
    masks.withLock { if $0.count < Self.mostMasks { $0[node] = mask } }
  }

  /// Masks kept at most: they take 32 kB each in a vocabulary of 262,144.
  private static let mostMasks = 4096
}
