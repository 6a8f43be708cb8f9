// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels

// Matrix products. Up to eight tokens read the weights once in their own bits (decode); more expand
// them into panels (prefill), in bf16 when precision allows and the CPU can.
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

  private var usesBF16: Bool { unsafe precision == .fast && kernels.pointee.gemm_bf16 != nil }

  package func linear(_ input: Tensor, _ weights: [Tensor], into outputs: [Tensor]) {
    for (matrix, output) in zip(weights, outputs) { check(input, matrix, output) }
    let tokens = input.rows
    guard tokens > 0 else { return }
    let pieces = pieces(weights, tokens: tokens)
    pool.exclusively { turn in
      if tokens <= Self.matvecTokens {
        prepareDigits(input, for: weights)
        turn.run(chunks: pieces.count) { chunk, _ in
          let piece = pieces[chunk]
          unsafe multiplyFew(
            input, weights[piece.matrix], piece.begin, piece.end,
            outputs[piece.matrix].floatPointer, stride: outputs[piece.matrix].columns)
        }
        return
      }
      scratch.reserve(perWorker: Self.gemmScratch)
      prepare(input, turn)
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
      if few { prepareDigits(input, for: [gate, up]) } else { prepare(input, turn) }
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
    if usesDigits(weights), let matvec = unsafe kernels.pointee.matvec_digits {
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
    if usesBF16, let gemm = unsafe kernels.pointee.gemm_bf16 {
      let width = Self.paddedColumns(input.columns)
      let from = unsafe scratch.shared.assumingMemoryBound(to: UInt16.self)
      unsafe gemm(
        &matrix, Int64(begin), Int64(end), from + rows.lowerBound * width, Int64(width),
        Int64(rows.count), output, Int64(stride), part)
    } else {
      unsafe kernels.pointee.gemm_f32(
        &matrix, Int64(begin), Int64(end), input.floatPointer + rows.lowerBound * input.columns,
        Int64(input.columns), Int64(rows.count), output, Int64(stride), part)
    }
  }

  /// Whether decode multiplies these weights in integers, by activations written in digits.
  private func usesDigits(_ weights: Tensor) -> Bool {
    guard precision == .fast, let takes = unsafe kernels.pointee.takes_digits else { return false }
    return takes(weights.dtype.rawValue, Int64(weights.columns))
  }

  /// Writes the input in digits in the shared scratch, when one of `weights` wants them.
  private func prepareDigits(_ input: Tensor, for weights: [Tensor]) {
    guard weights.contains(where: usesDigits), let write = unsafe kernels.pointee.to_digits
    else { return }
    let rowByteCount = input.columns / 64 * Int(FK_DIGIT_GROUP_BYTES)
    scratch.reserve(shared: input.rows * rowByteCount)
    for row in 0..<input.rows {
      unsafe write(
        input.floatPointer + row * input.columns, Int64(input.columns),
        scratch.shared + row * rowByteCount)
    }
  }

  static func paddedColumns(_ columns: Int) -> Int { (columns + 31) / 32 * 32 }

  /// Rounds the input to bf16 in the shared scratch, rows padded with zeros to whole groups of 32.
  private func prepare(_ input: Tensor, _ turn: WorkerPool.Turn) {
    guard usesBF16 else { return }
    let columns = input.columns
    let width = Self.paddedColumns(columns)
    scratch.reserve(shared: input.rows * width * 2)
    let to = unsafe scratch.shared.assumingMemoryBound(to: UInt16.self)
    let from = unsafe input.floatPointer
    let size = 16
    turn.run(chunks: (input.rows + size - 1) / size) { chunk, _ in
      for row in chunk * size..<min(input.rows, (chunk + 1) * size) {
        unsafe kernels.pointee.to_bf16(from + row * columns, Int64(columns), to + row * width)
        for column in columns..<width { unsafe to[row * width + column] = 0 }
      }
    }
  }
}
