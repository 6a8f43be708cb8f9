// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor

extension AdapterMatrices {
  /// Changes rows of a matrix, f32 in memory of their own: row i of `output` is row `rows(i)` of the
  /// matrix that these factors are for.
  ///
  /// With magnitudes every row of the sum is brought to its length (Liu and others 2024, equation 5).
  func merge(into output: Tensor, rows: (Int) -> Int) {
    let width = output.columns
    output.withMutableFloats { sums in
      a.withFloats { a in
        b.withFloats { b in
          for index in 0..<output.rows {
            let row = rows(index)
            for component in 0..<rank {
              let factor = scale * b[row * rank + component]
              if factor == 0 { continue }
              for column in 0..<width {
                sums[index * width + column] += factor * a[component * width + column]
              }
            }
          }
        }
      }
    }
    guard let magnitude else { return }
    let lengths = magnitude.floats()
    output.withMutableFloats { sums in
      for index in 0..<output.rows {
        var square = 0.0
        for column in 0..<width {
          square += Double(sums[index * width + column]) * Double(sums[index * width + column])
        }
        guard square > 0 else { continue }
        let factor = Float(Double(lengths[rows(index)]) / square.squareRoot())
        for column in 0..<width { sums[index * width + column] *= factor }
      }
    }
  }
}
