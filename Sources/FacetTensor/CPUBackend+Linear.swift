// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels

// Matrix products. A few tokens read the weights once in their own bits (decode); more expand them
// into panels (prefill). How the activations meet the weights is an `Operand`.
extension CPUBackend {
  /// Outputs [begin, end) of the `matrix`-th of several products.
  private struct Piece {
    var matrix: Int
    var begin: Int
    var end: Int
  }

  private func kernelView(_ weights: Tensor) -> fk_matrix {
    unsafe fk_matrix(
      data: weights.pointer, row_bytes: Int64(weights.rowByteCount),
      columns: Int64(weights.columns), dtype: weights.dtype.rawValue)
  }

  private func check(_ input: Tensor, _ weights: Tensor, _ output: Tensor) {
    precondition(
      weights.columns == input.columns && output.columns == weights.rows
        && output.rows == input.rows && input.dtype == .f32 && output.dtype == .f32,
      "[\(input.rows), \(input.columns)] · [\(weights.rows), \(weights.columns)]ᵀ into "
        + "[\(output.rows), \(output.columns)]")
  }

  private func pieces(_ weights: [Tensor], tokens: Int) -> [Piece] {
    var pieces: [Piece] = []
    for (index, matrix) in weights.enumerated() {
      let size =
        tokens <= Self.matvecTokens
        ? chunkRows(rows: matrix.rows, rowCost: matrix.rowByteCount, multiple: 16)
        : Self.panelRows
      var begin = 0
      while begin < matrix.rows {
        pieces.append(Piece(matrix: index, begin: begin, end: min(matrix.rows, begin + size)))
        begin += size
      }
    }
    return pieces
  }

  static let matvecTokens = Int(FK_MATVEC_TOKENS)
  static let panelRows = Int(FK_PANEL_ROWS)
  static let gemmScratch = Int(FK_GEMM_SCRATCH)

  package func linear(_ input: Tensor, _ weights: [Tensor], into outputs: [Tensor]) {
    for (matrix, output) in zip(weights, outputs) { check(input, matrix, output) }
    let tokens = input.rows
    guard tokens > 0 else { return }
    let pieces = pieces(weights, tokens: tokens)
    pool.exclusively { turn in
      prepare(input, for: weights, turn)
      if tokens <= Self.matvecTokens {
        turn.run(chunks: pieces.count) { chunk, _ in
          let piece = pieces[chunk]
          unsafe multiplyFew(
            input, weights[piece.matrix], piece.begin, piece.end,
            outputs[piece.matrix].floatPointer, stride: outputs[piece.matrix].columns)
        }
        return
      }
      scratch.reserve(perWorker: Self.gemmScratch)
      turn.run(chunks: pieces.count) { chunk, worker in
        let piece = pieces[chunk]
        let output = outputs[piece.matrix]
        unsafe multiplyPanel(
          input, weights[piece.matrix], piece.begin, piece.end, rows: 0..<tokens,
          output.floatPointer + piece.begin, stride: output.columns,
          scratch: scratch.part(worker))
      }
    }
  }

  /// Tokens whose gate and up results are held at once while they are combined.
  static let gatedTokens = 512

  package func gatedLinear(
    _ input: Tensor, gate: Tensor, up: Tensor, activation: Activation, into output: Tensor
  ) {
    check(input, gate, output)
    check(input, up, output)
    let tokens = input.rows
    guard tokens > 0 else { return }
    let width = Self.panelRows
    let held = min(tokens, Self.gatedTokens) * width
    let few = tokens <= Self.matvecTokens
    let size =
      few ? min(width, chunkRows(rows: gate.rows, rowCost: gate.rowByteCount, multiple: 16)) : width
    pool.exclusively { turn in
      scratch.reserve(perWorker: Self.gemmScratch + 2 * held * MemoryLayout<Float>.size)
      prepare(input, for: [gate, up], turn)
      turn.run(chunks: (gate.rows + size - 1) / size) { chunk, worker in
        let begin = chunk * size
        let end = min(gate.rows, begin + size)
        let part = unsafe scratch.part(worker)
        let gates = unsafe (part + Self.gemmScratch).assumingMemoryBound(to: Float.self)
        let ups = unsafe gates + held
        var first = 0
        while first < tokens {
          let rows = first..<min(tokens, first + Self.gatedTokens)
          if few {
            unsafe multiplyFew(input, gate, begin, end, gates - begin, stride: width)
            unsafe multiplyFew(input, up, begin, end, ups - begin, stride: width)
          } else {
            unsafe multiplyPanel(
              input, gate, begin, end, rows: rows, gates, stride: width, scratch: part)
            unsafe multiplyPanel(
              input, up, begin, end, rows: rows, ups, stride: width, scratch: part)
          }
          for row in rows {
            let at = (row - first) * width
            let to = unsafe output.floatPointer + row * output.columns + begin
            unsafe combine(activation, gates + at, ups + at, end - begin, to)
          }
          first = rows.upperBound
        }
      }
    }
  }

  private func combine(
    _ activation: Activation, _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>,
    _ count: Int, _ output: UnsafeMutablePointer<Float>
  ) {
    switch activation {
    case .geluTanh: unsafe kernels.pointee.gelu_mul(gate, up, Int64(count), output)
    case .silu: unsafe kernels.pointee.silu_mul(gate, up, Int64(count), output)
    }
  }

  // matvec writes y[t·stride + row], so `output` is the address of row 0.
  private func multiplyFew(
    _ input: Tensor, _ weights: Tensor, _ begin: Int, _ end: Int,
    _ output: UnsafeMutablePointer<Float>, stride: Int
  ) {
    var matrix = unsafe kernelView(weights)
    if operand(weights, tokens: input.rows) == .digits,
      let matvec = unsafe kernels.pointee.matvec_digits
    {
      unsafe matvec(
        &matrix, Int64(begin), Int64(end), scratch.shared, Int32(input.rows), output,
        Int64(stride))
      return
    }
    unsafe kernels.pointee.matvec(
      &matrix, Int64(begin), Int64(end), input.floatPointer, Int64(input.columns),
      Int32(input.rows), output, Int64(stride))
  }

  private func multiplyPanel(
    _ input: Tensor, _ weights: Tensor, _ begin: Int, _ end: Int, rows: Range<Int>,
    _ output: UnsafeMutablePointer<Float>, stride: Int, scratch part: UnsafeMutableRawPointer
  ) {
    var matrix = unsafe kernelView(weights)
    let (begin, end, count) = (Int64(begin), Int64(end), Int64(rows.count))
    let operand = operand(weights, tokens: input.rows)
    let size = operand.rowByteCount(columns: input.columns)
    if operand == .bytes, let gemm = unsafe kernels.pointee.gemm_bytes {
      let from = unsafe scratch.shared + rows.lowerBound * size
      unsafe gemm(&matrix, begin, end, from, count, output, Int64(stride), part)
    } else if operand == .bf16, let gemm = unsafe kernels.pointee.gemm_bf16 {
      let at = bf16Offset(input) + rows.lowerBound * size
      let from = unsafe (scratch.shared + at).assumingMemoryBound(to: UInt16.self)
      unsafe gemm(
        &matrix, begin, end, from, Int64(size / 2), count, output, Int64(stride), part)
    } else {
      unsafe kernels.pointee.gemm_f32(
        &matrix, begin, end, input.floatPointer + rows.lowerBound * input.columns,
        Int64(input.columns), count, output, Int64(stride), part)
    }
  }
}
