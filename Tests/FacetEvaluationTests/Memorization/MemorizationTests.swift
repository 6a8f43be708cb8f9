// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import FacetGeneration
import FacetTensor
import FacetTestSupport
import FacetTokenizer
import Testing

@Suite("Memorization")
struct MemorizationTests {
  private func model() throws -> LanguageModel {
    try LanguageModel.load(
      path: Goldens.path("fixtures/gemma3/gemma3.gguf"),
      options: LanguageModel.LoadOptions(threads: 1, precision: .exact))
  }

  private static let options: MemorizationResult.Options = {
    var options = MemorizationResult.Options()
    options.prefix = 20
    options.continuation = 20
    options.batch = 3
    return options
  }()

  /// What the model makes of `prefix` token by token, by a session: another way through the engine.
  private func greedy(_ model: LanguageModel, _ prefix: [TokenID], _ count: Int) throws -> [TokenID]
  {
    var session = try Session(model, context: prefix.count + count + 1)
    let start = model.tokenizer.special.bos.map { [$0] } ?? []
    var logits = try session.prefill(start + prefix).floats()
    var written: [TokenID] = []
    for _ in 0..<count {
      let best = logits.indices.max { logits[$0] < logits[$1] } ?? 0
      written.append(TokenID(best))
      logits = try session.decode(TokenID(best)).floats()
    }
    return written
  }

  @Test(
    "a text that the model writes itself is memorised exactly, with 2 edits approximately, with 3 not"
  )
  func edits() throws {
    let model = try model()
    let prefix: [TokenID] = (0..<20).map { 5 + ($0 * 37) % 370 }
    let truth = try greedy(model, prefix, 20)
    var documents = [prefix + truth]
    for places in [[3, 17], [3, 9, 17]] {
      var changed = truth
      for place in places { changed[place] = (changed[place] + 1) % 300 + 5 }
      documents.append(prefix + changed)
    }
    // A token left out in the middle, and one more at the end: two edits.
    let edited: [TokenID] = Array(truth[..<8]) + Array(truth[9...])
    documents.append(prefix + edited + [7])
    let result = try model.memorization(of: documents, options: Self.options)
    #expect(result.trials.map(\.document) == [0, 1, 2, 3])
    #expect(result.trials.allSatisfy { $0.written == truth && $0.start == 0 })
    #expect(result.trials.map(\.distance) == [0, 2, 3, 2])
    #expect(result.exact == Proportion(1, of: 4))
    #expect(result.approximate == Proportion(3, of: 4))
  }

  @Test("places side by side are written as a session writes each alone")
  func batches() throws {
    let model = try model()
    let text: [TokenID] = (0..<90).map { 5 + ($0 * $0 * 13 + 7) % 370 }
    var options = Self.options
    options.samples = 7
    options.seed = 5
    let result = try model.memorization(of: [text, Array(text.reversed())], options: options)
    #expect(result.trials.count == 7)
    for trial in result.trials {
      #expect(trial.written == (try greedy(model, trial.prefix, 20)))
      let document = trial.document == 0 ? text : text.reversed()
      #expect(Array(document[trial.start..<trial.start + 20]) == trial.prefix)
      #expect(Array(document[trial.start + 20..<trial.start + 40]) == trial.truth)
    }
    #expect(try model.memorization(of: [text], options: options).trials.count == 7)
  }

  @Test("places are drawn once each by the seed, over all documents alike; few are all taken")
  func places() throws {
    let documents = [[TokenID]](
      arrayLiteral: Array(repeating: 9, count: 45), Array(repeating: 9, count: 10),
      Array(repeating: 9, count: 1039))
    var options = Self.options
    options.samples = 400
    let places = try MemorizationPlaces(documents, options, longest: 100)
    let chosen = places.chosen()
    #expect(Set(chosen).count == 400)
    #expect(chosen == places.chosen())
    #expect(chosen.allSatisfy { $0.document != 1 && $0.start + 40 <= documents[$0.document].count })
    // 1000 of the 1006 places are the last document's; its middle halves them.
    let low = chosen.count { $0.document == 2 && $0.start < 500 }
    #expect((150...250).contains(low), "\(low)")
    options.seed = 1
    #expect(try MemorizationPlaces(documents, options, longest: 100).chosen() != chosen)
    options.samples = 5000
    #expect(try MemorizationPlaces(documents, options, longest: 100).chosen().count == 1006)
  }

  @Test("a corpus that is too short, and lengths that do not fit, are refused")
  func refusals() throws {
    func sentence(_ count: Int, _ prefix: Int) -> String {
      var options = Self.options
      options.prefix = prefix
      do throws(EvaluationError) {
        _ = try MemorizationPlaces([Array(repeating: 1, count: count)], options, longest: 60)
        return "none"
      } catch {
        return error.message
      }
    }
    #expect(sentence(39, 20) == "No text of the corpus has 40 tokens; the longest has 39.")
    #expect(sentence(40, 20) == "none")
    #expect(
      sentence(100, 40)
        == "A prefix of 40 and a continuation of 20 tokens do not fit the model's 60.")
    #expect(sentence(100, 0).hasPrefix("Prefix, continuation, samples and batch must be 1 or more"))
  }

  @Test("edit distances are those of the definition")
  func distances() {
    func plain(_ a: ArraySlice<Int>, _ b: ArraySlice<Int>) -> Int {
      guard let first = a.first, let other = b.first else { return a.count + b.count }
      let rest = plain(a.dropFirst(), b.dropFirst())
      return first == other
        ? rest : 1 + min(rest, min(plain(a.dropFirst(), b), plain(a, b.dropFirst())))
    }
    #expect(EditDistance.of(Array("kitten"), Array("sitting")) == 3)
    #expect(EditDistance.of(Array("intention"), Array("execution")) == 5)
    let seed = UInt64.random(in: 0 ... .max)
    var state = seed
    func next(_ below: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % below
    }
    for _ in 0..<300 {
      let a = (0..<next(7)).map { _ in next(3) }
      let b = (0..<next(7)).map { _ in next(3) }
      #expect(EditDistance.of(a, b) == plain(a[...], b[...]), "seed \(seed): \(a) \(b)")
    }
  }

  @Test(
    "the interval of a count is Wilson's (statsmodels 0.15.0, proportion_confint)",
    arguments: [
      (0, 10, 0.0, 0.27753279986288926), (1, 10, 0.017876213095072924, 0.40415002679523854),
      (5, 10, 0.23659309051256394, 0.7634069094874361), (10, 10, 0.7224672001371106, 1.0),
      (3, 1000, 0.0010207838811386195, 0.008783014053503176),
      (0, 10000, 0.0, 0.0003839983706765959),
      (37, 1319, 0.020419100917802545, 0.038425032142624334),
    ])
  func intervals(_ count: Int, _ total: Int, _ low: Double, _ high: Double) {
    let interval = Proportion(count, of: total).interval
    #expect(abs(interval.lowerBound - low) < 1e-12)
    #expect(abs(interval.upperBound - high) < 1e-12)
  }
}
