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

// Operations that go row by row: embedding, norms, rotation, the cache.
extension CPUBackend: Backend {
  package func embed(_ tokens: [Int32], table: Tensor, scale: Float, into output: Tensor) {
    precondition(
      output.rows == tokens.count && output.columns == table.columns,
      "\(tokens.count) embeddings of \(table.columns) into [\(output.rows), \(output.columns)]")
    let columns = table.columns
    overRows(tokens.count, rowCost: columns) { rows in
      for row in rows {
        precondition(
          tokens[row] >= 0 && Int(tokens[row]) < table.rows,
          "token \(tokens[row]) of a vocabulary of \(table.rows)")
        let to = unsafe output.floatPointer + row * columns
        let from = unsafe table.pointer + Int(tokens[row]) * table.rowByteCount
        unsafe kernels.pointee.dequantize(table.dtype.rawValue, from, Int64(columns), to)
        if scale != 1 { for i in 0..<columns { unsafe to[i] *= scale } }
      }
    }
  }

  package func rmsNorm(_ input: Tensor, weight: Tensor, epsilon: Float, into output: Tensor) {
    let columns = input.columns
    precondition(
      weight.count == columns && output.columns == columns && output.rows == input.rows,
      "norm of [\(input.rows), \(columns)] by [\(weight.count)]")
    overRows(input.rows, rowCost: columns) { rows in
      for row in rows {
        unsafe kernels.pointee.rms_norm(
          input.floatPointer + row * columns, weight.floatPointer, epsilon, Int64(columns),
          output.floatPointer + row * columns)
      }
    }
  }

  package func rotaryAngles(_ rotary: Rotary, positions: [Int], cosines: Tensor, sines: Tensor) {
    let half = cosines.columns
    precondition(cosines.rows == positions.count && sines.columns == half, "rotary table")
    // Frequencies and angles in f32, as the reference implementations have them; their cosines in
    // double, so that nothing is lost at position 100,000.
    let frequencies = (0..<half).map { pair in
      Float(1 / pow(Double(rotary.base), Double(2 * pair) / Double(2 * half)))
    }
    let scale = rotary.scale
    overRows(positions.count, rowCost: half * 32) { rows in
      for row in rows {
        let cosine = unsafe cosines.floatPointer + row * half
        let sine = unsafe sines.floatPointer + row * half
        for pair in 0..<half {
          let angle = Double(Float(positions[row]) * (frequencies[pair] / scale))
          unsafe cosine[pair] = Float(cos(angle))
          unsafe sine[pair] = Float(sin(angle))
        }
      }
    }
  }

  package func rotate(
    _ heads: Tensor, headWidth: Int, norm: Tensor?, epsilon: Float,
    cosines: Tensor, sines: Tensor, layout: RotaryLayout
  ) {
    let half = headWidth / 2
    precondition(
      heads.columns.isMultiple(of: headWidth) && cosines.columns == half
        && cosines.rows == heads.rows && (norm.map { $0.count == headWidth } ?? true),
      "rotation of [\(heads.rows), \(heads.columns)] in heads of \(headWidth)")
    let count = heads.columns / headWidth
    let rotate =
      unsafe layout == .halfSplit ? kernels.pointee.rotate_half : kernels.pointee.rotate_pairs
    overRows(heads.rows, rowCost: heads.columns * 2) { rows in
      for row in rows {
        for head in 0..<count {
          let at = unsafe heads.floatPointer + row * heads.columns + head * headWidth
          if let norm {
            unsafe kernels.pointee.rms_norm(
              at, norm.floatPointer, epsilon, Int64(headWidth), at)
          }
          unsafe rotate?(
            at, cosines.floatPointer + row * half, sines.floatPointer + row * half, Int64(half))
        }
      }
    }
  }

  package func store(keys: Tensor, values: Tensor, first: Int, into cache: LayerCache) {
    let columns = cache.headCount * cache.headWidth
    precondition(
      keys.columns == columns && values.columns == columns && keys.rows == values.rows,
      "keys [\(keys.rows), \(keys.columns)] into a cache of \(columns)")
    precondition(keys.rows <= cache.ringPositions, "more tokens than the cache holds")
    let view = unsafe cache.kernelView
    overRows(keys.rows, rowCost: columns * 4) { rows in
      var view = unsafe view
      unsafe kernels.pointee.store_kv(
        &view, keys.floatPointer + rows.lowerBound * columns,
        values.floatPointer + rows.lowerBound * columns, Int64(first + rows.lowerBound),
        Int64(rows.count))
    }
  }

  package func add(_ y: Tensor, to x: Tensor) {
    precondition(x.count == y.count, "sum of \(x.count) and \(y.count) values")
    overRows(x.rows, rowCost: x.columns) { rows in
      let at = rows.lowerBound * x.columns
      unsafe kernels.pointee.add(
        x.floatPointer + at, y.floatPointer + at, Int64(rows.count * x.columns))
    }
  }

  package func softCap(_ x: Tensor, cap: Float) {
    let size = 4096
    overRows((x.count + size - 1) / size, rowCost: size) { rows in
      let begin = rows.lowerBound * size
      let count = min(x.count, rows.upperBound * size) - begin
      unsafe kernels.pointee.soft_cap(x.floatPointer + begin, Int64(count), cap)
    }
  }
}
