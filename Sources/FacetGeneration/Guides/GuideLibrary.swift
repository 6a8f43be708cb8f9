// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetGuides
package import FacetTokenizer
import Synchronization

/// The guides of one model: its vocabulary's trie, made when the first guide comes, and the last guides
/// with what was worked out for them.
package final class GuideLibrary: Sendable {
  private struct State {
    var vocabulary: GuideVocabulary?
    /// The last used one last.
    var guides: [(guide: Guide, compiled: CompiledGuide)] = []
  }

  private let tokenizer: Tokenizer
  private let count: Int
  private let folder: String?
  private let state = Mutex(State())

  /// Guides kept at most.
  private static let mostGuides = 16

  /// Guides for the first `count` tokens of `tokenizer`, whose trie is kept in `folder`.
  package init(_ tokenizer: Tokenizer, count: Int, cachedIn folder: String? = nil) {
    self.tokenizer = tokenizer
    self.count = count
    self.folder = folder
  }

  /// The vocabulary as guides see it.
  package func vocabulary() -> GuideVocabulary {
    // Under the lock: whoever comes second waits instead of doing the same work.
    state.withLock { state in
      if let known = state.vocabulary { return known }
      let made = GuideVocabulary(tokenizer, count: count, cachedIn: folder)
      state.vocabulary = made
      return made
    }
  }

  /// `guide` for this vocabulary.
  package func compiled(_ guide: Guide) throws(GenerationError) -> CompiledGuide {
    let known = state.withLock { state -> CompiledGuide? in
      guard let index = state.guides.firstIndex(where: { $0.guide == guide }) else { return nil }
      let entry = state.guides.remove(at: index)
      state.guides.append(entry)
      return entry.compiled
    }
    if let known { return known }
    let program: GrammarProgram
    do throws(GuideError) { program = try guide.program() } catch { throw GenerationError(error) }
    let made = CompiledGuide(program, vocabulary())
    state.withLock { state in
      if state.guides.count >= Self.mostGuides { state.guides.removeFirst() }
      state.guides.append((guide, made))
    }
    return made
  }
}
