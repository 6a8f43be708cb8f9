// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// The loss, the embedding, and sums of whole tensors.
extension CPUBackend {
  package func scoreTargets(
    _ targets: [Int32], logits: Tensor, softCap: Float?, coefficients: [Float]?
  ) -> [TargetScore] {
    let width = logits.columns
    precondition(
      targets.count == logits.rows && (coefficients.map { $0.count == targets.count } ?? true)
        && targets.allSatisfy { $0 >= 0 && Int($0) < width },
      "\(targets.count) targets of [\(logits.rows), \(width)] logits")
    var scores = [TargetScore](
      repeating: TargetScore(logProbability: 0, isTop: false, entropy: 0), count: targets.count)
    unsafe scores.withUnsafeMutableBufferPointer { buffer in
      let buffer = unsafe buffer
      pool.run(chunks: targets.count) { row, _ in
        unsafe buffer[row] = score(
          Int(targets[row]), logits.floatPointer + row * width, width, softCap,
          coefficients?[row])
      }
    }
    return scores
  }

  /// One row: its score, and its gradient in place where there is a coefficient.
  private func score(
    _ target: Int, _ row: UnsafeMutablePointer<Float>, _ width: Int, _ softCap: Float?,
    _ coefficient: Float?
  ) -> TargetScore {
    let held = unsafe row[target]
    let sums = unsafe kernels.pointee.softmax_sums(row, Int64(width))
    let logSum = log(sums.sum)
    if let coefficient {
      unsafe kernels.pointee.softmax_gradient(
        row, Int64(width), sums.maximum, Float(Double(coefficient) / sums.sum), softCap ?? 0)
      let probability = exp(Double(held) - Double(sums.maximum)) / sums.sum
      let ratio = softCap.map { Double(held) / Double($0) } ?? 0
      unsafe row[target] = Float(Double(coefficient) * (probability - 1) * (1 - ratio * ratio))
    }
    return TargetScore(
      logProbability: Float(Double(held) - Double(sums.maximum) - logSum),
      isTop: held == sums.maximum, entropy: Float(logSum - sums.products / sums.sum))
  }

  package func embedBackward(
    _ tokens: [Int32], _ output: Tensor, scale: Float, into gradient: Tensor
  ) {
    let columns = gradient.columns
    precondition(
      output.rows == tokens.count && output.columns == columns
        && tokens.allSatisfy { $0 >= 0 && Int($0) < gradient.rows },
      "\(tokens.count) embeddings of [\(gradient.rows), \(columns)], back")
    // By columns: a token that comes twice is added to twice, in order.
    let size = 128
    pool.run(chunks: (columns + size - 1) / size) { chunk, _ in
      let first = chunk * size
      if gradient.dtype == .bf16 {
        return addHalves(
          tokens, output, scale: scale, first..<min(columns, first + size), to: gradient)
      }
      for (row, token) in tokens.enumerated() {
        unsafe kernels.pointee.add_scaled(
          gradient.floatPointer + Int(token) * columns + first,
          output.floatPointer + row * columns + first, scale, Int64(min(columns - first, size)))
      }
    }
  }

  /// Some columns of the way back through the embedding into a gradient of bf16.
  private func addHalves(
    _ tokens: [Int32], _ output: Tensor, scale: Float, _ columns: Range<Int>, to gradient: Tensor
  ) {
    let sums = unsafe gradient.pointer.assumingMemoryBound(to: UInt16.self)
    unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: columns.count) { scaled in
      guard let part = scaled.baseAddress else { return }
      for (row, token) in tokens.enumerated() {
        let from = unsafe output.floatPointer + row * output.columns + columns.lowerBound
        unsafe part.update(from: from, count: columns.count)
        unsafe kernels.pointee.scale(part, scale, Int64(columns.count))
        unsafe kernels.pointee.add_to_bf16(
          part, Int64(columns.count), sums + Int(token) * gradient.columns + columns.lowerBound)
      }
    }
  }

  package func add(_ y: Tensor, scale: Float, to x: Tensor) {
    precondition(x.count == y.count, "sum of \(x.count) and \(y.count) values")
    overRanges(x.count) { numbers, _ in
      let at = numbers.lowerBound
      unsafe kernels.pointee.add_scaled(
        x.floatPointer + at, y.floatPointer + at, scale, Int64(numbers.count))
    }
  }

  package func copy(_ input: Tensor, to output: Tensor) {
    precondition(input.count == output.count, "copy of \(input.count) to \(output.count) values")
    overRanges(input.count) { numbers, _ in
      let at = numbers.lowerBound
      unsafe (output.floatPointer + at).update(
        from: input.floatPointer + at, count: numbers.count)
    }
  }

  package func dropout(_ input: Tensor, rate: Float, seed: UInt64, into output: Tensor) {
    precondition(input.count == output.count && rate >= 0 && rate <= 1, "dropout of \(rate)")
    overRanges(input.count) { numbers, _ in
      let at = numbers.lowerBound
      unsafe kernels.pointee.dropout(
        input.floatPointer + at, Int64(at), Int64(numbers.count), rate, seed,
        output.floatPointer + at)
    }
  }
}
