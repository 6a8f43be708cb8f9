// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels

// Attention in tiles. Many tokens are split by tokens, a few over their context: where depends on the
// position of each token alone, so that neither the threads, nor other sequences, nor the tokens read
// along with it change a bit.
extension CPUBackend {
  /// What the workers take one by one.
  private struct Tile {
    var span: Int
    var tokens: Range<Int>
    var head: Int
    var part = 0
    var parts = 1
    var partBlocks = 1
    /// Floats before its partial result; those of one context lie one after the other.
    var partialOffset = 0
  }

  /// Tokens of a tile: enough to pay for expanding a block of the cache, few enough to share out.
  private static let attentionTokens = 64
  /// Most query rows whose context is split: partial results stay small beside what is read.
  private static let splitRows = 32
  /// Blocks of 64 positions that are worth a part of their own, at least.
  private static let leastPartBlocks = 4
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
    if precision != .exact, tokens > Self.matvecTokens,
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
      heads: Int32(settings.queryHeads), scale: settings.scale, soft_cap: settings.softCap ?? 0,
      end: settings.mask == .causal ? 0 : Int64(span.first + span.rows.count))
  }

  private func kernelTile(_ tile: Tile) -> fk_tile {
    let partial =
      unsafe tile.parts > 1
      ? scratch.shared.assumingMemoryBound(to: Float.self) + tile.partialOffset : nil
    return unsafe fk_tile(
      begin: Int64(tile.tokens.lowerBound), end: Int64(tile.tokens.upperBound),
      head: Int64(tile.head), part: Int64(tile.part), parts: Int64(tile.parts),
      part_blocks: Int64(tile.partBlocks), partial: partial)
  }

  /// The tiles of a batch, and how many floats their partial results take.
  private func tiles(
    _ spans: [AttentionSpan], _ settings: AttentionSettings
  ) -> ([Tile], partials: Int) {
    var tiles: [Tile] = []
    tiles.reserveCapacity(4 * spans.count * (spans.first?.cache.headCount ?? 1))
    var floats = 0
    for (index, span) in spans.enumerated() {
      let group = settings.queryHeads / span.cache.headCount
      precondition(group <= Int(FK_ATTENTION_ROWS), "\(group) query heads share a key-value head")
      let rows = span.rows.count * group
      let size = max(1, min(Self.attentionTokens, Int(FK_ATTENTION_ROWS) / group))
      let pieces =
        rows <= Self.splitRows && settings.mask == .causal
        ? Self.cuts(span, settings)
        : stride(from: 0, to: span.rows.count, by: size).map {
          Cut(tokens: $0..<min(span.rows.count, $0 + size))
        }
      for cut in pieces {
        for head in 0..<span.cache.headCount {
          for part in 0..<cut.parts {
            tiles.append(
              Tile(
                span: index, tokens: cut.tokens, head: head, part: part, parts: cut.parts,
                partBlocks: cut.blocks, partialOffset: floats))
            if cut.parts > 1 {
              floats += cut.tokens.count * group * (span.cache.values.columns + 2)
            }
          }
        }
      }
    }
    return (tiles, floats)
  }

  /// Tokens whose context is cut alike: into `parts` of `blocks` each.
  private struct Cut {
    var tokens: Range<Int>
    var parts = 1
    var blocks = 1
  }

  /// How the context of a few tokens is cut; more than one cut where parts grow on the way.
  private static func cuts(_ span: AttentionSpan, _ settings: AttentionSettings) -> [Cut] {
    var cuts: [Cut] = []
    for token in 0..<span.rows.count {
      let position = span.first + token
      let blocks = partBlocks(position, span.cache.headCount, settings)
      if cuts.last?.blocks == blocks {
        cuts[cuts.count - 1].tokens = cuts[cuts.count - 1].tokens.lowerBound..<token + 1
      } else {
        cuts.append(Cut(tokens: token..<token + 1, blocks: blocks))
      }
    }
    for (index, cut) in cuts.enumerated() {
      let begin = span.first + cut.tokens.lowerBound
      let first = settings.window.map { max(0, begin - $0 + 1) } ?? 0
      let last = span.first + cut.tokens.upperBound - 1
      let partSize = cut.blocks * LayerCache.blockSize
      cuts[index].parts = last / partSize - first / partSize + 1
    }
    return cuts
  }

  /// Blocks of a part of what the token at `position` sees: so many that the parts are few enough.
  private static func partBlocks(
    _ position: Int, _ heads: Int, _ settings: AttentionSettings
  ) -> Int {
    let context = position / LayerCache.blockSize + 1
    let seen = settings.window.map { min(context, $0 / LayerCache.blockSize + 2) } ?? context
    let most = min(mostParts.perHead, mostParts.together / heads)
    guard most > 2 else { return context }
    var size = leastPartBlocks
    while (seen + size - 1) / size + 1 > most { size *= 2 }
    return size
  }

  /// Bytes that a worker needs for attention, and that partial results of one sequence take at most.
  static func attentionByteCount(headWidth: Int) -> (perWorker: Int, shared: Int) {
    let width = (headWidth + 31) / 32 * 32
    let partials = mostParts.together * splitRows * (width + 2) * MemoryLayout<Float>.size
    return (fk_attention_scratch(Int32(headWidth)), partials)
  }
}
