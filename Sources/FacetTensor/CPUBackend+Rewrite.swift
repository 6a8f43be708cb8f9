// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels
import Synchronization

/// The order in which the rows of a matrix are taken.
package enum RowOrder: Sendable, Hashable {
  /// As they are stored.
  case stored
  /// Heads of this many rows whose halves (i, i + H/2) become pairs (2i, 2i + 1).
  ///
  /// It makes of query and key matrices for one rotary layout those for the other.
  case pairingHalves(headWidth: Int)

  /// The stored row that comes at place `row`.
  package func stored(_ row: Int) -> Int {
    switch self {
    case .stored: row
    case .pairingHalves(let width):
      row / width * width + row % 2 * (width / 2) + row % width / 2
    }
  }
}

// Weights in another type: rows are expanded to f32, then rounded (quantize.inc, quantize_k.inc).
extension CPUBackend {
  /// Writes rows `first…` of `source`, taken in `order`, into `output` in the type of `output`.
  ///
  /// `importance` [columns] says how much an error of each column counts. The result is the first row
  /// of `output` that the type cannot hold, because a number in it is not finite or too large; nil
  /// when all is well. The same bits for any number of threads and any instruction set.
  package func rewrite(
    _ source: Tensor, from first: Int = 0, order: RowOrder = .stored, importance: [Float]? = nil,
    into output: Tensor
  ) -> Int? {
    let columns = source.columns
    precondition(
      output.columns == columns && first >= 0 && output.rows <= source.rows - first
        && (importance.map { $0.count == columns } ?? true) && !output.storage.isMapped,
      "rows \(first)… of [\(source.rows), \(columns)] into [\(output.rows), \(output.columns)]")
    let failed = Atomic<Int>(.max)
    let size = chunkRows(rows: output.rows, rowCost: columns * Self.rewriteCost, multiple: 1)
    pool.exclusively { turn in
      scratch.reserve(perWorker: columns * MemoryLayout<Float>.size)
      turn.run(chunks: (output.rows + size - 1) / size) { chunk, worker in
        let expanded = unsafe scratch.part(worker).assumingMemoryBound(to: Float.self)
        for row in chunk * size..<min(output.rows, (chunk + 1) * size) {
          let from = unsafe source.pointer + order.stored(first + row) * source.rowByteCount
          unsafe kernels.pointee.dequantize(
            source.dtype.rawValue, from, Int64(columns), expanded)
          let to = unsafe output.pointer + row * output.rowByteCount
          if unsafe !round(expanded, columns, output.dtype, importance, to) {
            failed.min(row, ordering: .relaxed)
          }
        }
      }
    }
    let row = failed.load(ordering: .acquiring)
    return row == .max ? nil : row
  }

  private func round(
    _ row: UnsafePointer<Float>, _ columns: Int, _ dtype: DType, _ importance: [Float]?,
    _ output: UnsafeMutableRawPointer
  ) -> Bool {
    guard let importance else {
      return unsafe kernels.pointee.quantize(dtype.rawValue, row, nil, Int64(columns), output)
    }
    return unsafe importance.withUnsafeBufferPointer {
      unsafe kernels.pointee.quantize(
        dtype.rawValue, row, $0.baseAddress, Int64(columns), output)
    }
  }

  /// Bytes of weights that take as long to read as one takes to round, about.
  private static let rewriteCost = 16
}
