// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels

// Matrix products. A few tokens read the weights once in their own bits (decode); more expand them
// into panels (prefill). How the activations meet the weights is an `Operand`.
extension CPUBackend {
  /// Tokens that meet the weights one matrix row at a time; more of them take a panel of rows.
  static let matvecTokens = Int(FK_DIGIT_TOKENS)
  /// Tokens that every pass reads with the arithmetic of one: their rows are then the same to the bit.
  package static var decodeTokens: Int { matvecTokens }
  /// Tokens that this backend reads with the exactness of one.
  ///
  /// AVX2 does so up to 16, more than four of them in panels of 16-bit words. By bytes they would be faster
  /// in the narrow types and slower in Q8_0, which the output matrix is in the default model: docs/log.md.
  package var fewTokens: Int { instructionSet == .avx2 ? 16 : Self.matvecTokens }
  static let panelRows = Int(FK_PANEL_ROWS)
  static let gemmScratch = Int(FK_GEMM_SCRATCH)
  static let wordScratch = Int(FK_WORD_SCRATCH)
  /// Tokens whose gate and up results are held at once while they are combined.
  static let gatedTokens = 512

  /// An input, a matrix and how they meet.
  private struct Product {
    var input: Tensor
    var weights: Tensor
    var operand: Operand
  }

  /// Output features `rows` of the `index`-th of several products.
  private struct Piece {
    var index: Int
    var rows: Range<Int>
  }

  package func linear(
    _ input: Tensor, _ weights: [Tensor], as role: MatrixRole, into outputs: [Tensor]
  ) {
    multiply(input, weights, as: role, into: outputs, adding: false)
  }

  package func addLinear(_ input: Tensor, _ weights: Tensor, to output: Tensor) {
    multiply(input, [weights], as: .attention, into: [output], adding: true)
  }

  private func multiply(
    _ input: Tensor, _ weights: [Tensor], as role: MatrixRole, into outputs: [Tensor],
    adding: Bool
  ) {
    for (matrix, output) in zip(weights, outputs) { check(input, matrix, output) }
    guard input.rows > 0 else { return }
    let few = input.rows <= fewTokens
    let products = weights.map { product(input, $0, role) }
    let pieces = pieces(weights, tokens: input.rows)
    pool.exclusively { turn in
      prepare(input, products.map(\.operand), turn)
      scratch.reserve(perWorker: Self.gemmScratch)
      turn.run(chunks: pieces.count) { chunk, worker in
        let piece = pieces[chunk]
        let output = outputs[piece.index]
        if few {
          unsafe multiplyFew(
            products[piece.index], piece.rows, output, adding: adding, scratch.part(worker))
          return
        }
        for begin in stride(
          from: piece.rows.lowerBound, to: piece.rows.upperBound, by: Self.panelRows)
        {
          unsafe multiplyPanel(
            products[piece.index], begin..<min(piece.rows.upperBound, begin + Self.panelRows),
            tokens: 0..<input.rows, output.floatPointer + begin, stride: output.columns,
            adding: adding, scratch: scratch.part(worker))
        }
      }
    }
  }

  package func gatedLinear(
    _ input: Tensor, gate: Tensor, up: Tensor, activation: Activation, into output: Tensor
  ) {
    check(input, gate, output)
    check(input, up, output)
    guard input.rows > 0 else { return }
    let few = input.rows <= fewTokens
    let products = [gate, up].map { product(input, $0, .feedForward) }
    let held = min(input.rows, Self.gatedTokens) * Self.panelRows
    let size =
      few
      ? min(
        Self.panelRows, chunkRows(rows: gate.rows, rowCost: gate.rowByteCount, multiple: 16))
      : Self.panelRows
    pool.exclusively { turn in
      prepare(input, products.map(\.operand), turn)
      scratch.reserve(perWorker: Self.gemmScratch + 2 * held * MemoryLayout<Float>.size)
      turn.run(chunks: (gate.rows + size - 1) / size) { chunk, worker in
        let rows = chunk * size..<min(gate.rows, (chunk + 1) * size)
        let part = unsafe scratch.part(worker)
        let gates = unsafe (part + Self.gemmScratch).assumingMemoryBound(to: Float.self)
        let ups = unsafe gates + held
        for first in stride(from: 0, to: input.rows, by: Self.gatedTokens) {
          let tokens = first..<min(input.rows, first + Self.gatedTokens)
          if few {
            unsafe multiplyFew(
              products[0], rows, gates - rows.lowerBound, stride: Self.panelRows, part)
            unsafe multiplyFew(
              products[1], rows, ups - rows.lowerBound, stride: Self.panelRows, part)
          } else {
            unsafe multiplyPanel(
              products[0], rows, tokens: tokens, gates, stride: Self.panelRows, scratch: part)
            unsafe multiplyPanel(
              products[1], rows, tokens: tokens, ups, stride: Self.panelRows, scratch: part)
          }
          for token in tokens {
            let at = (token - first) * Self.panelRows
            unsafe combine(
              activation, gates + at, ups + at, rows.count,
              output.floatPointer + token * output.columns + rows.lowerBound)
          }
        }
      }
    }
  }

  private func product(_ input: Tensor, _ weights: Tensor, _ role: MatrixRole) -> Product {
    Product(
      input: input, weights: weights, operand: operand(weights, role, tokens: input.rows))
  }

  private func check(_ input: Tensor, _ weights: Tensor, _ output: Tensor) {
    precondition(
      weights.columns == input.columns && output.columns == weights.rows
        && output.rows == input.rows && input.dtype == .f32 && output.dtype == .f32,
      "[\(input.rows), \(input.columns)] · [\(weights.rows), \(weights.columns)]ᵀ into "
        + "[\(output.rows), \(output.columns)]")
  }

  /// A piece of a few tokens is read for some microseconds; of more tokens it is a panel, or several
  /// neighbours where multiplying one takes less time than bringing the next from memory.
  private func pieces(_ weights: [Tensor], tokens: Int) -> [Piece] {
    func size(_ matrix: Tensor) -> Int {
      if tokens <= fewTokens {
        return chunkRows(rows: matrix.rows, rowCost: matrix.rowByteCount, multiple: 16)
      }
      guard tokens <= Self.expandingTokens else { return Self.panelRows }
      return Self.panelRows
        * max(1, min(8, matrix.rows / (16 * pool.threadCount * Self.panelRows)))
    }
    var pieces: [Piece] = []
    pieces.reserveCapacity(
      weights.reduce(0) { sum, matrix in
        let size = size(matrix)
        return sum + (matrix.rows + size - 1) / size
      })
    for (index, matrix) in weights.enumerated() {
      let size = size(matrix)
      for begin in stride(from: 0, to: matrix.rows, by: size) {
        pieces.append(Piece(index: index, rows: begin..<min(matrix.rows, begin + size)))
      }
    }
    return pieces
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

  func kernelView(_ weights: Tensor) -> fk_matrix {
    unsafe fk_matrix(
      data: weights.pointer, row_bytes: Int64(weights.rowByteCount),
      columns: Int64(weights.columns), dtype: weights.dtype.rawValue)
  }

  /// All tokens into rows of `output`, or added to them.
  private func multiplyFew(
    _ product: Product, _ rows: Range<Int>, _ output: Tensor, adding: Bool,
    _ part: UnsafeMutableRawPointer
  ) {
    guard adding else {
      return unsafe multiplyFew(product, rows, output.floatPointer, stride: output.columns, part)
    }
    let sums = unsafe (part + Self.wordScratch).assumingMemoryBound(to: Float.self)
    let most = (Self.gemmScratch - Self.wordScratch) / MemoryLayout<Float>.size / fewTokens
    for begin in stride(from: rows.lowerBound, to: rows.upperBound, by: most) {
      let some = begin..<min(rows.upperBound, begin + most)
      unsafe multiplyFew(product, some, sums - begin, stride: most, part)
      for token in 0..<output.rows {
        unsafe kernels.pointee.add(
          output.floatPointer + token * output.columns + begin, sums + token * most,
          Int64(some.count))
      }
    }
  }

  /// All tokens; writes output[t · stride + row], so `output` is the address of row 0.
  private func multiplyFew(
    _ product: Product, _ rows: Range<Int>, _ output: UnsafeMutablePointer<Float>, stride: Int,
    _ part: UnsafeMutableRawPointer
  ) {
    let input = product.input
    var matrix = unsafe kernelView(product.weights)
    let (begin, end) = (Int64(rows.lowerBound), Int64(rows.upperBound))
    if input.rows > Self.matvecTokens, product.operand == .digits,
      let gemm = unsafe kernels.pointee.gemm_digits
    {
      return unsafe gemm(
        &matrix, begin, end, scratch.shared, Int64(input.rows), output, Int64(stride), part)
    }
    let size = Operand.digits.rowByteCount(columns: input.columns)
    // From the second group on, the weights come from the cache.
    for first in Swift.stride(from: 0, to: input.rows, by: Self.matvecTokens) {
      let count = Int32(min(Self.matvecTokens, input.rows - first))
      let to = unsafe output + first * stride
      if product.operand == .digits, let matvec = unsafe kernels.pointee.matvec_digits {
        unsafe matvec(
          &matrix, begin, end, scratch.shared + first * size, count, to, Int64(stride))
      } else {
        unsafe kernels.pointee.matvec(
          &matrix, begin, end, input.floatPointer + first * input.columns, Int64(input.columns),
          count, to, Int64(stride))
      }
    }
  }

  /// Some tokens and at most ``panelRows`` rows; writes from `output` on.
  private func multiplyPanel(
    _ product: Product, _ rows: Range<Int>, tokens: Range<Int>,
    _ output: UnsafeMutablePointer<Float>, stride: Int, adding: Bool = false,
    scratch part: UnsafeMutableRawPointer
  ) {
    let input = product.input
    var matrix = unsafe kernelView(product.weights)
    let (begin, end) = (Int64(rows.lowerBound), Int64(rows.upperBound))
    let (first, count) = (tokens.lowerBound, Int64(tokens.count))
    let size = product.operand.rowByteCount(columns: input.columns)
    let from = unsafe scratch.shared + offset(of: product.operand, input) + first * size
    if product.operand == .bytes, let gemm = unsafe kernels.pointee.gemm_bytes {
      unsafe gemm(
        &matrix, begin, end, scratch.shared, Int64(first), count, Int64(input.rows), output,
        Int64(stride), part)
    } else if product.operand == .digits, let gemm = unsafe kernels.pointee.gemm_digits {
      unsafe gemm(
        &matrix, begin, end, from, count, output - rows.lowerBound, Int64(stride), part)
    } else if product.operand == .bf16, let gemm = unsafe kernels.pointee.gemm_bf16 {
      unsafe gemm(
        &matrix, begin, end, from.assumingMemoryBound(to: UInt16.self), Int64(size / 2), count,
        output, Int64(stride), adding, part)
    } else {
      unsafe kernels.pointee.gemm_f32(
        &matrix, begin, end, input.floatPointer + first * input.columns, Int64(input.columns),
        count, output, Int64(stride), adding, part)
    }
  }
}
