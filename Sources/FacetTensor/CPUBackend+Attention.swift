// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels

// Attention in tiles. Many tokens are split by tokens, a few over their context: how depends on shapes
// and positions alone, so that neither the threads nor the other sequences of a batch change a bit.
extension CPUBackend {
  /// What the workers take one by one.
  private struct Tile {
    var span: Int
    var tokens: Range<Int>
    var head: Int
    var part = 0
    var parts = 1
    /// Floats before its partial result; those of one context lie one after the other.
    var partialOffset = 0
  }

  /// Tokens of a tile: enough to pay for expanding a block of the cache, few enough to share out.
  private static let attentionTokens = 64
  /// Most query rows whose context is split: partial results stay small beside what is read.
  private static let splitRows = 32
  /// Blocks of 64 positions that are worth a part of their own.
  private static let partBlocks = 4
  /// Most parts of one head's context, and of one sequence's heads together.
  private static let mostParts = (perHead: 32, together: 64)

  package func attention(
    _ queries: Tensor, over spans: [AttentionSpan], settings: AttentionSettings,
    into output: Tensor
  ) {
    let columns = settings.queryHeads * settings.headWidth
    precondition(queries.columns == columns && output.columns == columns, "attention heads")
    let (tiles, partials) = tiles(spans, settings)
    pool.exclusively { turn in
      scratch.reserve(perWorker: fk_attention_scratch(Int32(settings.headWidth)))
      if partials > 0 { scratch.reserve(shared: partials * MemoryLayout<Float>.size) }
      // From the back: with a causal mask the last tiles cost most, and whoever ends early helps out.
      turn.run(chunks: tiles.count) { chunk, worker in
        let tile = tiles[tiles.count - 1 - chunk]
        let span = spans[tile.span]
        var view = unsafe span.cache.kernelView
        var call = unsafe kernelCall(queries, output, span, settings)
        unsafe kernel(tokens: span.rows.count)(
          &call, &view, kernelTile(tile), scratch.part(worker))
      }
      let joined = tiles.filter { $0.parts > 1 && $0.part == 0 }
      turn.run(chunks: joined.count) { chunk, _ in
        let span = spans[joined[chunk].span]
        var view = unsafe span.cache.kernelView
        var call = unsafe kernelCall(queries, output, span, settings)
        unsafe kernels.pointee.attention_join(&call, &view, kernelTile(joined[chunk]))
      }
    }
  }

  /// In f32 wherever matrix products take a few tokens exactly; more of them in bf16 on the fast path.
  private func kernel(
    tokens: Int
  )
    -> @convention(c) (
      UnsafePointer<fk_attention>?, UnsafePointer<fk_kv>?, fk_tile, UnsafeMutableRawPointer?
    ) -> Void
  {
    if precision == .fast, tokens > Self.matvecTokens,
      let fast = unsafe kernels.pointee.attention_bf16
    {
      return unsafe fast
    }
    return unsafe kernels.pointee.attention
  }

  private func kernelCall(
    _ queries: Tensor, _ output: Tensor, _ span: AttentionSpan, _ settings: AttentionSettings
  ) -> fk_attention {
    let offset = span.rows.lowerBound * queries.columns
    return unsafe fk_attention(
      queries: queries.floatPointer + offset, output: output.floatPointer + offset,
      first: Int64(span.first), window: Int64(settings.window ?? 0),
      heads: Int32(settings.queryHeads), scale: settings.scale, soft_cap: settings.softCap ?? 0)
  }

  private func kernelTile(_ tile: Tile) -> fk_tile {
    let partial =
      unsafe tile.parts > 1
      ? scratch.shared.assumingMemoryBound(to: Float.self) + tile.partialOffset : nil
    return unsafe fk_tile(
      begin: Int64(tile.tokens.lowerBound), end: Int64(tile.tokens.upperBound),
      head: Int64(tile.head), part: Int64(tile.part), parts: Int64(tile.parts), partial: partial)
  }

  /// The tiles of a batch, and how many floats their partial results take.
  private func tiles(
    _ spans: [AttentionSpan], _ settings: AttentionSettings
  ) -> ([Tile], partials: Int) {
    var tiles: [Tile] = []
    var floats = 0
    for (index, span) in spans.enumerated() {
      let group = settings.queryHeads / span.cache.headCount
      precondition(group <= Int(FK_ATTENTION_ROWS), "\(group) query heads share a key-value head")
      let rows = span.rows.count * group
      let parts = rows <= Self.splitRows ? Self.parts(span, settings) : 1
      let size = max(1, min(Self.attentionTokens, Int(FK_ATTENTION_ROWS) / group))
      for begin in stride(from: 0, to: span.rows.count, by: size) {
        let tokens = begin..<min(span.rows.count, begin + size)
        for head in 0..<span.cache.headCount {
          for part in 0..<parts {
            tiles.append(
              Tile(
                span: index, tokens: tokens, head: head, part: part, parts: parts,
                partialOffset: floats))
            if parts > 1 { floats += rows * (span.cache.values.columns + 2) }
          }
        }
      }
    }
    return (tiles, floats)
  }

  /// Parts of the context that the tokens of a span see.
  private static func parts(_ span: AttentionSpan, _ settings: AttentionSettings) -> Int {
    let first = settings.window.map { max(0, span.first - $0 + 1) } ?? 0
    let last = span.first + max(span.rows.count, 1) - 1
    let blocks = last / LayerCache.blockSize - first / LayerCache.blockSize + 1
    let most = max(1, min(mostParts.perHead, mostParts.together / span.cache.headCount))
    return min((blocks + partBlocks - 1) / partBlocks, most)
  }

  /// Bytes that a worker needs for attention, and that partial results of one sequence take at most.
  static func attentionByteCount(headWidth: Int) -> (perWorker: Int, shared: Int) {
    let width = (headWidth + 31) / 32 * 32
    let partials = mostParts.together * splitRows * (width + 2) * MemoryLayout<Float>.size
    return (fk_attention_scratch(Int32(headWidth)), partials)
  }
}
