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

extension CPUBackend {
  /// log Σ exp of every row of `logits` [R, V].
  ///
  /// Blocks in f32, their sums in double, so that a large vocabulary does not round away its many small
  /// parts.
  package func logSumExp(_ logits: Tensor) -> [Double] {
    var totals = [Double](repeating: 0, count: logits.rows)
    let columns = logits.columns
    guard columns > 0 else { return totals }
    unsafe totals.withUnsafeMutableBufferPointer { totals in
      // Each row's total is written by the one thread that has the row.
      let totals = unsafe UncheckedTotals(base: totals)
      pool.run(chunks: logits.rows) { row, _ in
        unsafe totals.base[row] = logSumExp(logits.floatPointer + row * columns, columns)
      }
    }
    return totals
  }

  /// The places of a buffer that threads share out among themselves.
  @safe private struct UncheckedTotals {
    // No two threads have the same row.
    let base: UnsafeMutableBufferPointer<Double>
  }

  private func logSumExp(_ row: UnsafePointer<Float>, _ count: Int) -> Double {
    var greatest = -Double.infinity
    var sum = 0.0
    for start in stride(from: 0, to: count, by: Self.sumBlock) {
      let size = min(Self.sumBlock, count - start)
      let part = Double(unsafe kernels.pointee.log_sum_exp(row + start, Int64(size)))
      if part > greatest {
        sum = sum * exp(greatest - part) + 1
        greatest = part
      } else if greatest > -.infinity || part.isNaN {
        sum += exp(part - greatest)
      }
    }
    return greatest + log(sum)
  }

  private static let sumBlock = 4096
}
