// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetModel
import FacetTensor
import Testing

/// However a text is cut into passes, the model sees the same text.
@Suite("One pass and many")
struct PassTests {
  /// Other kernels sum in another order; the logits are about ±6.
  static let tolerance: Float = 1e-4

  @Test(
    "prefill in chunks, at once and token by token agree", arguments: Place.exact, Oracle.families)
  func chunks(place: Place, family: String) throws {
    let transformer = try Transformer(family, on: place.backend)
    let tokens = try Oracle.prompt("long", family).tokens
    func logits(_ chunk: Int) throws -> [Float] {
      try transformer.logits(
        of: tokens, chunk: chunk, cache: transformer.makeCache(capacity: 64, chunk: chunk))
    }
    let whole = try logits(64)
    for chunk in [1, 2, 7, 8, 9, 16, 17, 33] {
      #expect(try logits(chunk).distance(to: whole) <= Self.tolerance, "chunks of \(chunk)")
    }
  }

  @Test(
    "sequences of different lengths in one batch answer as each alone", arguments: Place.exact,
    Oracle.families)
  func batch(place: Place, family: String) throws {
    let transformer = try Transformer(family, on: place.backend)
    let workspace = Workspace()
    let prompts = try ["long", "one", "short"].map { try Oracle.prompt($0, family) }
    let caches = try prompts.map { _ in try transformer.makeCache(capacity: 128, chunk: 64) }
    var next = prompts.map(\.tokens)
    var found = [[Int32]](repeating: [], count: prompts.count)
    for step in 0..<12 {
      let sequences = zip(caches, next).map { Batch.Sequence(cache: $0, count: $1.count) }
      let logits = try transformer.forward(
        Batch(next.flatMap { $0 }, sequences: sequences, logits: .last), workspace: workspace)
      #expect(logits.rows == prompts.count)
      for (index, prompt) in prompts.enumerated() {
        let row = logits.rows(index..<index + 1).floats()
        if step == 0 { #expect(row.distance(to: prompt.logits) <= OracleTests.tolerance) }
        found[index].append(row.indexOfMaximum())
        next[index] = [row.indexOfMaximum()]
      }
    }
    #expect(found == prompts.map { Array($0.greedy.prefix(12)) })
  }

  @Test(
    "sequences of one batch that have different adapters answer as each alone",
    arguments: Place.exact.filter { $0.backend is any TrainingBackend }, ["gemma3", "llama"])
  func adapters(place: Place, family: String) throws {
    let transformer = try GradientTests.fixture(family, on: place.backend)
    let lora = try Adapter.golden("lora", for: transformer)
    let dora = try Adapter.golden("dora", for: transformer)
    var weak = lora
    weak.strength = 0.25
    let sets = [[lora], [], [dora], [weak], [weak]]
    let prompts = try ["long", "one", "short", "long", "short"].map {
      try Oracle.prompt($0, family).tokens
    }
    func forward(_ indices: [Int]) throws -> [[Float]] {
      let sequences = try indices.map {
        Batch.Sequence(
          cache: try transformer.makeCache(capacity: 64, chunk: 64), count: prompts[$0].count,
          adapters: sets[$0])
      }
      let logits = try transformer.forward(
        Batch(indices.flatMap { prompts[$0] }, sequences: sequences, logits: .last),
        workspace: Workspace())
      return indices.indices.map { logits.rows($0..<$0 + 1).floats() }
    }
    let together = try forward(Array(sets.indices))
    for index in sets.indices {
      let alone = try forward([index])[0]
      #expect(together[index].distance(to: alone) <= Self.tolerance, "sequence \(index)")
      let plain = try transformer.logits(
        of: prompts[index], chunk: 64, cache: transformer.makeCache(capacity: 64, chunk: 64)
      ).suffix(alone.count)
      let isPlain = Array(plain).distance(to: alone) <= Self.tolerance
      #expect(isPlain == sets[index].isEmpty, "an adapter changes sequence \(index)")
    }
  }

  @Test(
    "a settled adapter answers as before, and a row of zeros stays one",
    arguments: ["lora", "dora"])
  func settled(kind: String) throws {
    let transformer = try GradientTests.fixture("gemma3", on: GradientTests.best())
    var adapter = try Adapter.golden(kind, for: transformer)
    let tokens = try Oracle.prompt("long", "gemma3").tokens
    func logits(_ adapter: Adapter) throws -> [Float] {
      let sequence = Batch.Sequence(
        cache: try transformer.makeCache(capacity: 64, chunk: 64), count: tokens.count,
        adapters: [adapter])
      return try transformer.forward(
        Batch(tokens, sequences: [sequence], logits: .last), workspace: Workspace()
      ).floats()
    }
    let settled = try adapter.settled(on: transformer)
    #expect(try logits(settled) == logits(adapter))
    var weaker = settled
    weaker.strength = 0.5
    adapter.strength = 0.5
    #expect(try logits(weaker) == logits(adapter))
    #expect(try logits(weaker) != logits(settled))

    // Where B A takes a row of the matrix away, nothing is left to have a direction.
    let name = TensorName(.query, layer: 0)
    let matrix = transformer.weights.layers[0].query
    let b = try Tensor.zeros(rows: matrix.rows, columns: 1)
    b.write((0..<matrix.rows).map { $0 == 3 ? -1 : 0 })
    let a = try Tensor.zeros(rows: 1, columns: matrix.columns)
    let backend = try #require(CPUBackend(threads: 1))
    #expect(backend.rewrite(matrix, from: 3, into: a) == nil)
    let ones = try Tensor.floats(
      [Float](repeating: 1, count: matrix.rows), rows: 1, columns: matrix.rows)
    let empty = Adapter(
      modules: [name: AdapterMatrices(a: a, b: b, magnitude: ones, scale: 1)])
    #expect(try logits(empty).allSatisfy(\.isFinite))
    #expect(try logits(empty.settled(on: transformer)).allSatisfy(\.isFinite))
  }

  @Test(
    "only the rows asked for are computed, and they are those of all rows", arguments: Place.exact)
  func rows(place: Place) throws {
    let transformer = try Transformer("gemma3", on: place.backend)
    let tokens = try Oracle.prompt("long", "gemma3").tokens
    let vocabulary = transformer.configuration.vocabulary
    func logits(_ rows: Batch.LogitRows) throws -> Tensor {
      let cache = try transformer.makeCache(capacity: 64, chunk: 64)
      return try transformer.forward(
        Batch(tokens, cache: cache, logits: rows), workspace: Workspace())
    }
    let all = try logits(.all)
    #expect(all.rows == tokens.count && all.columns == vocabulary)
    let some = try logits(.rows([0, 3, 17]))
    #expect(some.rows == 3)
    for (index, row) in [0, 3, 17].enumerated() {
      let expected = all.rows(row..<row + 1).floats()
      #expect(some.rows(index..<index + 1).floats().distance(to: expected) <= Self.tolerance)
    }
    #expect(try logits(.none).rows == 0)
    let everyOther = Array(stride(from: 1, to: tokens.count, by: 2))
    let half = try logits(.rows(everyOther))
    for (index, row) in everyOther.enumerated() {
      let expected = all.rows(row..<row + 1).floats()
      #expect(half.rows(index..<index + 1).floats().distance(to: expected) <= Self.tolerance)
    }
  }

  @Test("where somebody looks, every row goes through every layer, and the logits are the same")
  func observed() throws {
    let transformer = try Transformer("gemma3")
    let tokens = try Oracle.prompt("long", "gemma3").tokens
    let last = transformer.configuration.layers - 1
    var rows: [TapPoint: Int] = [:]
    func logits(_ tap: Tap?) throws -> [Float] {
      let cache = try transformer.makeCache(capacity: 64, chunk: 64)
      return try transformer.forward(
        Batch(tokens, cache: cache, logits: .rows([2, 5])), workspace: Workspace(), tap: tap
      ).floats()
    }
    let seen = try logits { rows[$0] = $1.rows }
    #expect(try logits(nil).distance(to: seen) <= Self.tolerance)
    #expect(rows[.attention(layer: last)] == tokens.count && rows[.layer(last)] == tokens.count)
    #expect(rows[.finalNorm] == 2)
  }

  @Test("the same inputs give the same bits", arguments: Place.cpu(.exact) + Place.cpu(.fast))
  func determinism(place: Place) throws {
    let transformer = try Transformer("gemma2", on: place.backend)
    let tokens = try Oracle.prompt("full", "gemma2").tokens
    func logits() throws -> [Float] {
      try transformer.logits(
        of: tokens, chunk: 50, cache: transformer.makeCache(capacity: 256, chunk: 50))
    }
    let first = try logits()
    for _ in 0..<3 { #expect(try logits() == first) }
  }

  @Test("a token beyond the vocabulary is refused by number, and nothing is read")
  func unknownToken() throws {
    let transformer = try Transformer("gemma3")
    let cache = try transformer.makeCache(capacity: 16, chunk: 16)
    for token: Int32 in [384, -1, .max] {
      #expect(
        Self.message {
          try transformer.forward(Batch([2, token], cache: cache), workspace: Workspace())
        }
          == "Token \(token) is not in the model's vocabulary of 384.")
    }
    #expect(cache.position == 0)
  }

  @Test("a full context is refused with numbers, and what it holds stays")
  func contextFull() throws {
    let transformer = try Transformer("gemma3")
    let prompt = try Oracle.prompt("short", "gemma3")
    let cache = try transformer.makeCache(capacity: 10, chunk: 8)
    _ = try transformer.forward(Batch(Array(prompt.tokens), cache: cache), workspace: Workspace())
    #expect(
      Self.message {
        try transformer.forward(Batch([5, 6, 7], cache: cache), workspace: Workspace())
      }
        == "8 tokens and 3 more do not fit a context of 10. Use a larger context or a shorter prompt."
    )
    let logits = try transformer.forward(
      Batch([prompt.greedy[0]], cache: cache), workspace: Workspace())
    #expect(logits.floats().indexOfMaximum() == prompt.greedy[1])
  }

  static func message(_ body: () throws -> Tensor) -> String {
    do {
      _ = try body()
      return "no error"
    } catch { return "\(error)" }
  }
}
