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
  /// Control tokens that guides may ask for.
  package let marks: [TokenID: GuideMark]
  /// Masks that its guides share.
  let masks = NodeMaskStore()

  /// Looks at the first `count` tokens of `tokenizer`, whose trie `makeTrie` gives when told its control tokens.
  package init(
    _ tokenizer: Tokenizer, count: Int, trie makeTrie: ([TokenID: GuideMark]) -> TokenTrie
  ) {
    self.tokenizer = tokenizer
    self.count = count
    marks = GuideMark.tokens(of: tokenizer).filter { $0.key < count }
    trie = makeTrie(marks)
    stops = tokenizer.special.stop.filter { $0 >= 0 && Int($0) < count }.sorted()
  }

  /// The same with a trie of its own.
  package init(_ tokenizer: Tokenizer, count: Int) {
    self.init(tokenizer, count: count) { TokenTrie(tokenizer, count: count, marks: $0) }
  }

  /// The bytes of a token, as grammars spell it.
  func bytes(of token: TokenID) -> [UInt8] { marks[token]?.bytes ?? tokenizer.bytes(of: token) }
}

/// A guide for one vocabulary, shared by all answers that follow it.
package final class CompiledGuide: Sendable {
  package let program: GrammarProgram
  package let vocabulary: GuideVocabulary
  private let masks = Mutex<[Int32: NodeMask]>([:])

  /// A guide along `program`.
  package init(_ program: GrammarProgram, _ vocabulary: GuideVocabulary) {
    self.program = program
    self.vocabulary = vocabulary
  }

  /// How many nodes' masks are known.
  var maskCount: Int { masks.withLock { $0.count } }

  /// The mask of `node`, where it is known.
  func mask(of node: Int32) -> NodeMask? {
    if let known = masks.withLock({ $0[node] }) { return known }
    guard let key = key(node), let shared = vocabulary.masks[key] else { return nil }
    masks.withLock { $0[node] = shared }
    return shared
  }

  /// Keeps the mask of `node`.
  func keep(_ mask: NodeMask, of node: Int32) {
    masks.withLock { if $0.count < Self.mostMasks { $0[node] = mask } }
    if let key = key(node) { vocabulary.masks[key] = mask }
  }

  /// What the mask of `node` depends on; nil: on the whole grammar.
  private func key(_ node: Int32) -> NodeMask.Key? {
    let rule = program.rules[Int(program.ruleOf[Int(node)])]
    guard rule.expression.isSelfContained else { return nil }
    // Equal expressions are laid out alike from their start.
    return NodeMask.Key(
      expression: rule.expression, isCounted: rule.counter != nil, offset: node - rule.start,
      follow: rule.follow)
  }

  /// Masks kept at most.
  private static let mostMasks = 4096
}
