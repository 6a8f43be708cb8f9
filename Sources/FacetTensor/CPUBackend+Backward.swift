// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels

// The way back row by row. Sums over rows are kept per 64 rows and joined in order, so that the number of
// threads changes no bit.
extension CPUBackend {
  /// Rows whose part of a sum over rows one worker gathers.
  private static let summedRows = 64

  /// sums [n] += what `body` gathers from the rows `0..<rows`, 64 at a time.
  private func sumOverRows(
    _ rows: Int, into sums: Tensor?, _ body: (Range<Int>, UnsafeMutablePointer<Float>?) -> Void
  ) {
    let chunks = (rows + Self.summedRows - 1) / Self.summedRows
    let width = sums?.count ?? 0
    pool.exclusively { turn in
      if width > 0 { scratch.reserve(shared: chunks * width * MemoryLayout<Float>.size) }
      let parts =
        unsafe width > 0 ? scratch.shared.assumingMemoryBound(to: Float.self) : nil
      turn.run(chunks: chunks) { chunk, _ in
        let part = unsafe parts.map { unsafe $0 + chunk * width }
        unsafe part?.update(repeating: 0, count: width)
        let first = chunk * Self.summedRows
        unsafe body(first..<min(rows, first + Self.summedRows), part)
      }
      guard let sums, let parts = unsafe parts else { return }
      for chunk in 0..<chunks {
        unsafe kernels.pointee.add(sums.floatPointer, parts + chunk * width, Int64(width))
      }
    }
  }

  package func rmsNormBackward(
    _ output: Tensor, input: Tensor, weight: Tensor, epsilon: Float, adding: Bool,
    into inputGradient: Tensor, weightGradient: Tensor?
  ) {
    let columns = input.columns
    precondition(
      weight.count == columns && output.columns == columns && output.rows == input.rows
        && inputGradient.columns == columns && inputGradient.rows == input.rows
        && (weightGradient.map { $0.count == columns } ?? true),
      "norm of [\(input.rows), \(columns)] by [\(weight.count)], back")
    unsafe sumOverRows(input.rows, into: weightGradient) { rows, sums in
      for row in rows {
        let at = row * columns
        unsafe kernels.pointee.rms_norm_backward(
          output.floatPointer + at, input.floatPointer + at, weight.floatPointer, epsilon,
          Int64(columns), adding, inputGradient.floatPointer + at, sums)
      }
    }
  }

  package func gate(_ gate: Tensor, _ up: Tensor, activation: Activation, into output: Tensor) {
    precondition(gate.count == up.count && output.count == up.count, "gate of \(gate.count)")
    let combine =
      unsafe activation == .geluTanh ? kernels.pointee.gelu_mul : kernels.pointee.silu_mul
    overRanges(gate.count) { numbers, _ in
      let at = numbers.lowerBound
      unsafe combine?(
        gate.floatPointer + at, up.floatPointer + at, Int64(numbers.count),
        output.floatPointer + at)
    }
  }

  package func gateBackward(_ output: Tensor, gate: Tensor, up: Tensor, activation: Activation) {
    precondition(gate.count == up.count && output.count == up.count, "gate of \(gate.count)")
    let back =
      unsafe activation == .geluTanh
      ? kernels.pointee.gelu_mul_backward : kernels.pointee.silu_mul_backward
    overRanges(gate.count) { numbers, _ in
      let at = numbers.lowerBound
      unsafe back?(
        output.floatPointer + at, gate.floatPointer + at, up.floatPointer + at,
        Int64(numbers.count))
    }
  }

  package func rotateBackward(
    _ heads: Tensor, input: Tensor?, headWidth: Int, norm: Tensor?, epsilon: Float,
    cosines: Tensor, sines: Tensor, layout: RotaryLayout, normGradient: Tensor?
  ) {
    let (half, count) = (headWidth / 2, heads.columns / headWidth)
    precondition(
      heads.columns.isMultiple(of: headWidth) && cosines.columns == half
        && cosines.rows == heads.rows && sines.rows == heads.rows && sines.columns == half
        && (norm.map { $0.count == headWidth && input?.count == heads.count } ?? true)
        && (normGradient.map { $0.count == headWidth } ?? true),
      "rotation of [\(heads.rows), \(heads.columns)] in heads of \(headWidth), back")
    let rotate =
      unsafe layout == .halfSplit ? kernels.pointee.rotate_half : kernels.pointee.rotate_pairs
    unsafe sumOverRows(heads.rows, into: norm == nil ? nil : normGradient) { rows, sums in
      // The way back through a rotation is the rotation by the opposite angle.
      unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: half) { opposite in
        for row in rows {
          for pair in 0..<half { unsafe opposite[pair] = -sines.floatPointer[row * half + pair] }
          for head in 0..<count {
            let at = row * heads.columns + head * headWidth
            let x = unsafe heads.floatPointer + at
            unsafe rotate?(
              x, cosines.floatPointer + row * half, opposite.baseAddress, Int64(half))
            guard let norm, let input else { continue }
            unsafe kernels.pointee.rms_norm_backward(
              x, input.floatPointer + at, norm.floatPointer, epsilon, Int64(headWidth), false, x,
              sums)
          }
        }
      }
    }
  }

  package func addColumnProducts(_ x: Tensor, _ y: Tensor, to sums: Tensor) {
    let columns = x.columns
    precondition(
      y.columns == columns && y.rows == x.rows && sums.count == columns,
      "sums [\(sums.count)] of products [\(x.rows), \(columns)]")
    unsafe sumOverRows(x.rows, into: sums) { rows, sums in
      guard let sums = unsafe sums else { return }
      for row in rows {
        unsafe kernels.pointee.add_products(
          sums, x.floatPointer + row * columns, y.floatPointer + row * columns, Int64(columns))
      }
    }
  }

  package func scaleColumns(_ input: Tensor, by factors: Tensor, into output: Tensor) {
    let columns = input.columns
    precondition(
      factors.count == columns && output.columns == columns && output.rows == input.rows,
      "[\(input.rows), \(columns)] scaled by [\(factors.count)]")
    overRows(input.rows, rowCost: columns) { rows in
      for row in rows {
        unsafe kernels.pointee.multiply(
          input.floatPointer + row * columns, factors.floatPointer, Int64(columns),
          output.floatPointer + row * columns)
      }
    }
  }

  package func rowNorms(
    of weights: Tensor, a: Tensor, b: Tensor, scale: Float, into norms: Tensor
  ) {
    let (columns, rank) = (weights.columns, b.columns)
    precondition(
      norms.count == weights.rows && b.rows == weights.rows && a.rows == rank
        && a.columns == columns,
      "norms of [\(weights.rows), \(columns)] + [\(b.rows), \(rank)] · [\(a.rows), \(a.columns)]")
    let size = max(1, min(64, chunkRows(rows: weights.rows, rowCost: columns * rank, multiple: 1)))
    pool.exclusively { turn in
      scratch.reserve(perWorker: columns * MemoryLayout<Float>.size)
      turn.run(chunks: (weights.rows + size - 1) / size) { chunk, worker in
        let values = unsafe scratch.part(worker).assumingMemoryBound(to: Float.self)
        for row in chunk * size..<min(weights.rows, (chunk + 1) * size) {
          unsafe kernels.pointee.dequantize(
            weights.dtype.rawValue, weights.pointer + row * weights.rowByteCount, Int64(columns),
            values)
          for index in 0..<rank {
            let factor = unsafe scale * b.floatPointer[row * rank + index]
            unsafe kernels.pointee.add_scaled(
              values, a.floatPointer + index * columns, factor, Int64(columns))
          }
          unsafe norms.floatPointer[row] = Float(
            kernels.pointee.sum_squares(values, Int64(columns)).squareRoot())
        }
      }
    }
  }
}
