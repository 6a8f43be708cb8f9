// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import Testing

/// Attention on every instruction set of this CPU, over every kind of cache, against the plain twin.
@Suite("Attention agrees with ReferenceBackend")
struct AttentionTests {
  static let sets = InstructionSet.available

  struct Case: CustomStringConvertible {
    var heads: Int
    var keyValueHeads: Int
    var headWidth: Int
    var window: Int?
    var softCap: Float?
    var history: Int
    var tokens: Int
    var description: String {
      "\(heads)/\(keyValueHeads) heads of \(headWidth), window \(window ?? 0), "
        + "cap \(softCap ?? 0), \(history) + \(tokens) tokens"
    }
    var total: Int { history + tokens }
    var settings: AttentionSettings {
      AttentionSettings(
        headWidth: headWidth, queryHeads: heads, window: window,
        scale: 1 / Float(headWidth).squareRoot(), softCap: softCap)
    }
  }

  /// Tiles of one and several tokens, heads of odd widths, windows that end inside a block.
  static let tiled = [
    Case(heads: 4, keyValueHeads: 1, headWidth: 32, history: 0, tokens: 1),
    Case(heads: 4, keyValueHeads: 1, headWidth: 256, history: 130, tokens: 1),
    Case(heads: 4, keyValueHeads: 2, headWidth: 16, window: 8, history: 60, tokens: 70),
    Case(heads: 8, keyValueHeads: 8, headWidth: 8, softCap: 50, history: 3, tokens: 65),
    Case(
      heads: 2, keyValueHeads: 1, headWidth: 40, window: 64, softCap: 5, history: 200, tokens: 90),
    Case(heads: 6, keyValueHeads: 2, headWidth: 64, window: 1, history: 127, tokens: 3),
    Case(heads: 3, keyValueHeads: 1, headWidth: 7, history: 70, tokens: 9),
  ]
  /// Few tokens far into a text: their context is split into parts.
  static let split = [
    Case(heads: 4, keyValueHeads: 1, headWidth: 32, history: 256, tokens: 1),
    Case(heads: 4, keyValueHeads: 2, headWidth: 48, softCap: 20, history: 1500, tokens: 7),
    Case(heads: 2, keyValueHeads: 2, headWidth: 64, window: 700, history: 1999, tokens: 16),
    Case(heads: 8, keyValueHeads: 1, headWidth: 16, history: 9000, tokens: 1),
  ]

  /// Keys, values and queries of a case, and what a backend makes of them.
  struct Sample {
    let sample: Case
    var keys: Tensor
    var values: Tensor
    let queries: Tensor

    init(_ sample: Case, seed: UInt64 = 7) throws {
      var random = RandomTensors(seed: seed)
      self.sample = sample
      let columns = sample.keyValueHeads * sample.headWidth
      keys = try random.floats(sample.total, columns)
      values = try random.floats(sample.total, columns)
      queries = try random.floats(sample.tokens, sample.heads * sample.headWidth, scale: 3)
    }

    func cache(on backend: any Backend, _ dtype: DType) throws -> LayerCache {
      let total = sample.total
      let held = sample.window.map { min(total, $0 + 128 + sample.tokens) } ?? total
      let cache = try LayerCache(
        positions: held, headCount: sample.keyValueHeads, headWidth: sample.headWidth,
        dtype: dtype)
      for first in stride(from: 0, to: total, by: 50) {
        let rows = first..<min(total, first + 50)
        backend.store(keys: keys.rows(rows), values: values.rows(rows), first: first, into: cache)
      }
      return cache
    }

    func output(of backend: any Backend, _ dtype: DType) throws -> [Float] {
      let output = try Tensor.zeros(rows: sample.tokens, columns: queries.columns)
      let span = AttentionSpan(
        cache: try cache(on: backend, dtype), rows: 0..<sample.tokens, first: sample.history)
      backend.attention(queries, over: [span], settings: sample.settings, into: output)
      return output.floats()
    }

    /// The same with keys and values rounded to `dtype`, head by head, as weights are.
    func rounded(to dtype: DType) throws -> Sample {
      var result = self
      result.keys = try Self.rounded(keys, sample.headWidth, dtype)
      result.values = try Self.rounded(values, sample.headWidth, dtype)
      return result
    }

    private static func rounded(_ rows: Tensor, _ width: Int, _ dtype: DType) throws -> Tensor {
      let whole = dtype.blockSize
      let padded = (width + whole - 1) / whole * whole
      let plain = rows.floats()
      let heads = plain.count / width
      let source = try Tensor.zeros(rows: heads, columns: padded)
      source.withMutableFloats { span in
        for index in plain.indices { span[index / width * padded + index % width] = plain[index] }
      }
      let target = try Tensor.zeros(rows: heads, columns: padded, dtype: dtype)
      let backend = try #require(CPUBackend(threads: 1, instructionSet: .baseline))
      try #require(backend.rewrite(source, into: target) == nil)
      let values = ReferenceBackend.dequantized(target)
      return try Tensor.floats(
        plain.indices.map { values[$0 / width * padded + $0 % width] }, rows: rows.rows,
        columns: rows.columns)
    }
  }

  func backend(
    _ set: InstructionSet, _ precision: Precision, threads: Int = 2
  ) throws -> CPUBackend {
    try #require(CPUBackend(threads: threads, precision: precision, instructionSet: set))
  }

  @Test(
    "in f32 over every type of cache: windows, rings, soft caps, parts", arguments: sets,
    tiled + split)
  func exact(_ set: InstructionSet, _ sample: Case) throws {
    let numbers = try Sample(sample)
    for dtype in LayerCache.dtypes {
      let expected = try numbers.rounded(to: dtype).output(of: ReferenceBackend(), .f32)
      let found = try numbers.output(of: backend(set, .exact), dtype)
      #expect(relativeError(found, expected) < 3e-6, "\(dtype)")
    }
  }

  @Test(
    "on the fast path a few tokens stay in f32, more of them stray by bf16's rounding",
    arguments: sets, tiled + split)
  func fast(_ set: InstructionSet, _ sample: Case) throws {
    let numbers = try Sample(sample)
    for dtype in LayerCache.dtypes {
      let expected = try numbers.rounded(to: dtype).output(of: ReferenceBackend(), .f32)
      let found = try numbers.output(of: backend(set, .fast), dtype)
      // Each factor of both products is right to 2^-9.
      #expect(relativeError(found, expected) < (sample.tokens <= 4 ? 3e-6 : 8e-3), "\(dtype)")
    }
  }

  @Test("half precision and q8_0 stay near what was not rounded", arguments: sets)
  func rounding(_ set: InstructionSet) throws {
    let numbers = try Sample(Self.tiled[1])
    let expected = try numbers.output(of: ReferenceBackend(), .f32)
    let backend = try backend(set, .exact)
    #expect(relativeError(try numbers.output(of: backend, .f16), expected) < 4e-3)
    #expect(relativeError(try numbers.output(of: backend, .q8_0), expected) < 4e-2)
  }

  @Test(
    "the number of threads changes no bit", arguments: sets, split + [tiled[2], tiled[4]])
  func threads(_ set: InstructionSet, _ sample: Case) throws {
    let numbers = try Sample(sample)
    for (precision, dtype) in [(Precision.exact, DType.f32), (.fast, .f16), (.fast, .q4_0)] {
      let results = try [1, 2, 5].map {
        try numbers.output(of: backend(set, precision, threads: $0), dtype)
      }
      #expect(results[0] == results[1] && results[0] == results[2])
    }
  }

  @Test("several sequences in one batch are as if alone", arguments: sets, [0, 700])
  func several(_ set: InstructionSet, _ history: Int) throws {
    let backend = try backend(set, .exact)
    var random = RandomTensors(seed: 8)
    let queries = try random.floats(7, 32)
    let settings = AttentionSettings(
      headWidth: 16, queryHeads: 2, window: nil, scale: 1, softCap: nil)
    let spans = try [0..<1, 1..<5, 5..<7].map { rows in
      let total = history * rows.count + rows.count
      let cache = try LayerCache(positions: total, headCount: 1, headWidth: 16, dtype: .f32)
      backend.store(
        keys: try random.floats(total, 16), values: try random.floats(total, 16), first: 0,
        into: cache)
      return AttentionSpan(cache: cache, rows: rows, first: history * rows.count)
    }
    let together = try Tensor.zeros(rows: 7, columns: 32)
    backend.attention(queries, over: spans, settings: settings, into: together)
    for span in spans {
      let alone = try Tensor.zeros(rows: span.rows.count, columns: 32)
      backend.attention(
        queries.rows(span.rows),
        over: [AttentionSpan(cache: span.cache, rows: 0..<span.rows.count, first: span.first)],
        settings: settings, into: alone)
      #expect(together.rows(span.rows).floats() == alone.floats())
    }
  }

  @Test("a number that is none is never hidden", arguments: sets, LayerCache.dtypes)
  func notANumber(_ set: InstructionSet, _ dtype: DType) throws {
    let numbers = try Sample(Self.split[0])
    // A whole first block: the one that a row meets before it has a maximum.
    for position in 0..<64 {
      numbers.keys.rows(position..<position + 1).write(
        [Float](repeating: .nan, count: numbers.keys.columns))
    }
    #expect(try numbers.output(of: backend(set, .exact), dtype).allSatisfy(\.isNaN))
  }
}
