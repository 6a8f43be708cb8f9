// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels

/// The form in which activations meet the weights of a matrix.
///
/// `exact` multiplies in f32 throughout. `fast` takes what the CPU multiplies fastest without giving
/// up more than docs/numerics.md promises.
enum Operand {
  /// f32, as it is.
  case f32
  /// Rounded to bf16: prefill against weights that are floating-point numbers.
  case bf16
  /// 16 bits per number in two digits, scaled per 32: decode against quantised weights, and what must be
  /// exact of prefill where there is no bf16.
  case digits
  /// 8 bits per number, scaled per 32: prefill against quantised weights.
  case bytes

  /// Bytes that one row of `columns` activations takes.
  func rowByteCount(columns: Int) -> Int {
    switch self {
    case .f32: columns * MemoryLayout<Float>.size
    case .bf16: (columns + 31) / 32 * 32 * MemoryLayout<UInt16>.size
    case .digits: Int(fk_digit_bytes(Int64(columns)))
    case .bytes: Int(fk_byte_bytes(Int64(columns)))
    }
  }
}

extension CPUBackend {
  /// Tokens that do not pay for expanding weights to bf16.
  static let expandingTokens = 32

  /// How `tokens` rows of activations meet `weights`.
  ///
  /// On the default model 8 bits everywhere cost a mean KL divergence of 0.0023 against exact, half of
  /// it in attention's matrices and the head, which are a quarter of the work: those take bf16, unless
  /// the tokens are so few that expanding the weights would take longer than multiplying them. Where there
  /// are 16-bit words instead of bf16 they take those, but for the matrix from the heads back, whose bytes
  /// cost a KL divergence of 0.0001; and so does what bytes are no faster for.
  func operand(_ weights: Tensor, _ role: MatrixRole, tokens: Int) -> Operand {
    if precision == .exact { return .f32 }
    let takesBF16 = unsafe kernels.pointee.gemm_bf16 != nil
    let takesIntegers =
      unsafe kernels.pointee.takes_integers?(weights.dtype.rawValue, Int64(weights.columns))
      ?? false
    if precision == .mixed {
      guard tokens > fewTokens else { return .f32 }
      return takesBF16 ? .bf16 : takesIntegers && hasWords ? .digits : .f32
    }
    if tokens <= fewTokens { return takesIntegers ? .digits : .f32 }
    guard takesIntegers else { return takesBF16 ? .bf16 : .f32 }
    if hasWords {
      let isExact = role == .attention || role == .head || Self.isWide(weights.dtype)
      return isExact ? .digits : .bytes
    }
    let isShort = tokens <= Self.expandingTokens
    return role == .feedForward || isShort || !takesBF16 ? .bytes : .bf16
  }

  /// Whether quantised weights meet any number of tokens in 16-bit words.
  package var hasWords: Bool { unsafe kernels.pointee.gemm_digits != nil }

  /// Whether products of two bytes of this type overflow 16 bits so soon that words are as fast.
  private static func isWide(_ dtype: DType) -> Bool { dtype == .q8_0 || dtype == .q6_K }

  package func arithmetic(
    of weights: Tensor, _ role: MatrixRole, tokens: Int
  ) -> MatrixArithmetic {
    switch operand(weights, role, tokens: tokens) {
    case .f32: .f32
    case .bf16: .bf16
    case .digits, .bytes: .int8
    }
  }

  /// Bytes that the forms of `tokens` rows take together; digits alone take less than two forms.
  static func operandByteCount(tokens: Int, columns: Int) -> Int {
    let exact: [Operand] = [.digits, .bf16]
    let most = exact.map { $0.rowByteCount(columns: columns) }.max() ?? 0
    let bytes = tokens <= matvecTokens ? 0 : Operand.bytes.rowByteCount(columns: columns)
    return tokens * (bytes + most) + 2 * 63
  }

  /// Where a form lies in the shared scratch: what is more exact than bytes behind them, where there may
  /// be both.
  func offset(of form: Operand, _ input: Tensor) -> Int {
    guard input.rows > fewTokens, form == .digits || form == .bf16 else { return 0 }
    return (input.rows * Operand.bytes.rowByteCount(columns: input.columns) + 63) / 64 * 64
  }

  /// Writes the input into the shared scratch in every form of `operands`.
  func prepare(_ input: Tensor, _ operands: [Operand], _ turn: WorkerPool.Turn) {
    scratch.reserve(shared: Self.operandByteCount(tokens: input.rows, columns: input.columns))
    for form in [Operand.digits, .bytes, .bf16] where operands.contains(form) {
      let to = unsafe scratch.shared + offset(of: form, input)
      let rowsAtOnce = 16
      turn.run(chunks: (input.rows + rowsAtOnce - 1) / rowsAtOnce) { chunk, _ in
        for row in chunk * rowsAtOnce..<min(input.rows, (chunk + 1) * rowsAtOnce) {
          unsafe write(input, row: row, as: form, to)
        }
      }
    }
  }

  /// Writes one row of `input` where it belongs among all of them, from `output` on.
  private func write(
    _ input: Tensor, row: Int, as form: Operand, _ output: UnsafeMutableRawPointer
  ) {
    let columns = input.columns
    let from = unsafe input.floatPointer + row * columns
    let size = form.rowByteCount(columns: columns)
    switch form {
    case .f32: break
    case .digits: unsafe kernels.pointee.to_digits?(from, Int64(columns), output + row * size)
    case .bytes:
      unsafe kernels.pointee.to_bytes?(
        from, Int64(columns), Int64(row), Int64(input.rows), output)
    case .bf16:
      let numbers = unsafe (output + row * size).assumingMemoryBound(to: UInt16.self)
      unsafe kernels.pointee.to_bf16(from, Int64(columns), numbers)
      for column in columns..<size / 2 {
        unsafe numbers[column] = 0  // the kernel reads whole groups of 32
      }
    }
  }
}
