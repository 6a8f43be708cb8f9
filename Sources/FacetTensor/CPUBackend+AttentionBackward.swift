// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels

// The way back through attention: keys and values are packed block by block, then each query head of each
// sequence goes its own way with keys' and values' gradients of its own, which are summed over the heads
// of a group in order. So no number of threads changes a bit.
extension CPUBackend {
  /// A block of one key-value head of one sequence.
  private struct PackedBlock {
    var rows: Range<Int>
    var head: Int
    /// Numbers before it.
    var offset: Int
  }

  /// One query head of one sequence.
  private struct HeadTask {
    var rows: Range<Int>
    var head: Int
    /// Packed numbers before the first block of what it sees.
    var offset: Int
  }

  /// Where things lie in the shared scratch.
  private struct BackwardLayout {
    var blocks: [PackedBlock] = []
    var tasks: [HeadTask] = []
    var packedByteCount = 0
    /// Floats of the gradient of keys, or values, of one query head, [T, width].
    var headCount: Int
    var width: Int
    var group: Int
    var isHalf: Bool
    var size: Int { isHalf ? 2 : 4 }
  }

  package func attentionBackward(
    _ pass: AttentionPass, settings: AttentionSettings, into gradients: AttentionInputs
  ) {
    let inputs = pass.inputs
    let (tokens, width) = (inputs.queries.rows, settings.headWidth)
    precondition(
      inputs.queries.columns == settings.queryHeads * width
        && inputs.keys.columns.isMultiple(of: width) && inputs.keys.columns > 0
        && settings.queryHeads.isMultiple(of: inputs.keys.columns / width)
        && [inputs.keys, inputs.values, gradients.keys, gradients.values].allSatisfy {
          $0.rows == tokens && $0.columns == inputs.keys.columns
        }
        && [pass.output, pass.outputGradient, gradients.queries].allSatisfy {
          $0.rows == tokens && $0.columns == inputs.queries.columns
        } && pass.sequences.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= tokens },
      "attention of [\(tokens), \(inputs.queries.columns)] over [\(inputs.keys.rows), "
        + "\(inputs.keys.columns)], back")
    let layout = layout(pass, settings)
    let longest = pass.sequences.map(\.count).max() ?? 0
    pool.exclusively { turn in
      scratch.reserve(
        perWorker: fk_attention_back_scratch(
          Int64(width), Int64(longest), Int64(settings.window ?? 0)))
      scratch.reserve(
        shared: layout.packedByteCount
          + 2 * settings.queryHeads * layout.headCount * MemoryLayout<Float>.size)
      turn.run(chunks: layout.blocks.count) { chunk, _ in
        pack(inputs, layout.blocks[chunk], width, layout)
      }
      turn.run(chunks: layout.tasks.count) { chunk, worker in
        back(pass, settings, layout.tasks[chunk], layout, gradients, worker)
      }
      join(pass, settings, layout, gradients, turn)
    }
  }

  private func layout(_ pass: AttentionPass, _ settings: AttentionSettings) -> BackwardLayout {
    let keyHeads = pass.inputs.keys.columns / settings.headWidth
    let width = (settings.headWidth + 15) / 16 * 16
    let isHalf = unsafe precision != .exact && kernels.pointee.attention_backward_bf16 != nil
    var layout = BackwardLayout(
      headCount: pass.inputs.queries.rows * width, width: width,
      group: settings.queryHeads / keyHeads, isHalf: isHalf)
    let numbers = Int(fk_packed_heads(Int64(settings.headWidth)))
    var offset = 0
    for rows in pass.sequences where !rows.isEmpty {
      for head in 0..<keyHeads {
        for index in 0..<layout.group {
          layout.tasks.append(
            HeadTask(rows: rows, head: head * layout.group + index, offset: offset))
        }
        for first in stride(from: rows.lowerBound, to: rows.upperBound, by: LayerCache.blockSize) {
          let block = first..<min(rows.upperBound, first + LayerCache.blockSize)
          layout.blocks.append(PackedBlock(rows: block, head: head, offset: offset))
          offset += numbers
        }
      }
    }
    layout.packedByteCount = (offset * layout.size + 63) / 64 * 64
    return layout
  }

  private func pack(
    _ inputs: AttentionInputs, _ block: PackedBlock, _ width: Int, _ layout: BackwardLayout
  ) {
    let columns = inputs.keys.columns
    let at = block.rows.lowerBound * columns + block.head * width
    let pack =
      unsafe layout.isHalf ? kernels.pointee.pack_heads_bf16 : kernels.pointee.pack_heads_f32
    unsafe pack?(
      inputs.keys.floatPointer + at, inputs.values.floatPointer + at, Int64(columns),
      Int64(block.rows.count), Int64(width), scratch.shared + block.offset * layout.size)
  }

  /// Floats of the gradients of keys, then of values, of each query head.
  private func headGradients(
    _ layout: BackwardLayout, _ head: Int, values: Bool, heads: Int
  ) -> UnsafeMutablePointer<Float> {
    let from = unsafe (scratch.shared + layout.packedByteCount)
      .assumingMemoryBound(to: Float.self)
    return unsafe from + (head + (values ? heads : 0)) * layout.headCount
  }

  private func back(
    _ pass: AttentionPass, _ settings: AttentionSettings, _ task: HeadTask,
    _ layout: BackwardLayout, _ gradients: AttentionInputs, _ worker: Int
  ) {
    let columns = pass.inputs.queries.columns
    let at = task.rows.lowerBound * columns + task.head * settings.headWidth
    let count = task.rows.count * layout.width
    let keys =
      unsafe headGradients(
        layout, task.head, values: false, heads: settings.queryHeads)
      + task.rows.lowerBound * layout.width
    let values =
      unsafe headGradients(
        layout, task.head, values: true, heads: settings.queryHeads)
      + task.rows.lowerBound * layout.width
    unsafe keys.update(repeating: 0, count: count)
    unsafe values.update(repeating: 0, count: count)
    var call = unsafe fk_attention_back(
      queries: pass.inputs.queries.floatPointer + at, output: pass.output.floatPointer + at,
      output_gradient: pass.outputGradient.floatPointer + at,
      query_gradient: gradients.queries.floatPointer + at, stride: Int64(columns),
      packed: UnsafeRawPointer(scratch.shared + task.offset * layout.size), key_gradient: keys,
      value_gradient: values, tokens: Int64(task.rows.count),
      window: Int64(settings.window ?? 0), head_width: Int32(settings.headWidth),
      scale: settings.scale, soft_cap: settings.softCap ?? 0)
    let back =
      unsafe layout.isHalf
      ? kernels.pointee.attention_backward_bf16 : kernels.pointee.attention_backward_f32
    for first in stride(from: 0, to: task.rows.count, by: LayerCache.blockSize) {
      unsafe back?(
        &call, Int64(first), Int64(min(task.rows.count, first + LayerCache.blockSize)),
        scratch.part(worker))
    }
  }

  /// Sums over the query heads of each group; rows of no sequence get zero.
  private func join(
    _ pass: AttentionPass, _ settings: AttentionSettings, _ layout: BackwardLayout,
    _ gradients: AttentionInputs, _ turn: WorkerPool.Turn
  ) {
    let tokens = pass.inputs.keys.rows
    let (columns, width) = (pass.inputs.keys.columns, settings.headWidth)
    var belongs = [Bool](repeating: false, count: tokens)
    for rows in pass.sequences { for row in rows { belongs[row] = true } }
    let rowsAtOnce = 32
    turn.run(chunks: (tokens + rowsAtOnce - 1) / rowsAtOnce) { chunk, _ in
      for row in chunk * rowsAtOnce..<min(tokens, (chunk + 1) * rowsAtOnce) {
        if !belongs[row] {
          let all = pass.inputs.queries.columns
          unsafe (gradients.queries.floatPointer + row * all).update(repeating: 0, count: all)
        }
        for (output, values) in [(gradients.keys, false), (gradients.values, true)] {
          for head in 0..<columns / width {
            let to = unsafe output.floatPointer + row * columns + head * width
            unsafe to.update(repeating: 0, count: width)
            for index in 0..<layout.group where belongs[row] {
              let from = unsafe headGradients(
                layout, head * layout.group + index, values: values, heads: settings.queryHeads)
              unsafe kernels.pointee.add(to, from + row * layout.width, Int64(width))
            }
          }
        }
      }
    }
  }
}
