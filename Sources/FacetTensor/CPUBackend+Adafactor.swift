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

/// What one step of Adafactor needs beside its tensors, in PyTorch's form of it.
package struct AdafactorStep: Sendable, Hashable {
  package var learningRate: Float
  package var weightDecay: Float
  /// Steps including this one, from 1.
  package var number: Int
  /// Multiplies the gradient first.
  package var gradientScale: Float

  package init(learningRate: Float, weightDecay: Float = 0, number: Int, gradientScale: Float = 1) {
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    self.number = number
    self.gradientScale = gradientScale
  }

  /// How much of the second moment is new.
  fileprivate var share: Double { pow(Double(number), -0.8) }
}

// PyTorch's constants: ε₁ is the spacing of f32 at one, ε₂ 1e-3, and steps are clipped to a root mean
// square of one.
extension CPUBackend {
  private static let epsilon = Float.ulpOfOne
  private static let leastSize = 1e-3

  /// One step on `parameters`, whose second moments are the products of `rows` [1, rows] and `columns`
  /// [1, columns]; without `rows`, which suits one row, `columns` alone.
  package func adafactor(
    _ parameters: Tensor, rows: Tensor?, columns: Tensor, gradient: Tensor, step: AdafactorStep
  ) {
    let count = parameters.count
    precondition(
      gradient.rows == parameters.rows && gradient.columns == parameters.columns
        && columns.count == parameters.columns && (rows?.count ?? 1) == parameters.rows
        && step.number > 0, "step \(step.number) of \(parameters.rows) × \(parameters.columns)")
    guard count > 0 else { return }
    let size = (sumOfSquares(parameters) / Double(count)).squareRoot()
    let rate = min(Double(step.learningRate), 1 / Double(step.number).squareRoot())
    gatherSquares(gradient, rows: rows, columns: columns, step)
    let factors = Self.rowFactors(rows)

    var constants = fk_root_step(
      variance_scale: 1, least: Self.epsilon * Self.epsilon, gradient_scale: step.gradientScale,
      keep: Float(1 - Double(step.learningRate) * Double(step.weightDecay)), step: 0)
    let squares = rootStep(nil, gradient, columns, factors, constants)
    let clip = max(1, (squares / Double(count)).squareRoot())
    constants.step = Float(max(Self.leastSize, size) * rate / clip)
    _ = rootStep(parameters, gradient, columns, factors, constants)
  }

  /// Row r's second moments are those of the columns times the r-th of these.
  private static func rowFactors(_ rows: Tensor?) -> [Float] {
    guard let rows else { return [1] }
    let values = rows.floats()
    let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
    return values.map { Float(Double($0) / max(mean, Double(epsilon))) }
  }

  /// Moves `rows` and `columns` towards the means of the gradient's squares.
  private func gatherSquares(
    _ gradient: Tensor, rows: Tensor?, columns: Tensor, _ step: AdafactorStep
  ) {
    let (height, width) = (gradient.rows, gradient.columns)
    let slice = Self.rowsOfSlice(height)
    let slices = (height + slice - 1) / slice
    var columnSums = [Float](repeating: 0, count: slices * width)
    var rowSums = [Double](repeating: 0, count: height)
    unsafe columnSums.withUnsafeMutableBufferPointer { columnBuffer in
      unsafe rowSums.withUnsafeMutableBufferPointer { rowBuffer in
        guard let sums = columnBuffer.baseAddress else { return }
        let rowBuffer = unsafe rowBuffer
        pool.run(chunks: slices) { index, _ in
          for row in index * slice..<min(height, (index + 1) * slice) {
            let x = unsafe gradient.floatPointer + row * width
            unsafe rowBuffer[row] = kernels.pointee.sum_squares(x, Int64(width))
            unsafe kernels.pointee.add_products(sums + index * width, x, x, Int64(width))
          }
        }
      }
    }
    let square = Double(step.gradientScale) * Double(step.gradientScale)
    if let rows {
      Self.move(rows, to: rowSums.map { $0 * square / Double(width) }, share: step.share)
    }
    let means = (0..<width).map { column in
      (0..<slices).reduce(0.0) { $0 + Double(columnSums[$1 * width + column]) }
        * square / Double(height)
    }
    Self.move(columns, to: means, share: step.share)
  }

  private static func move(_ moments: Tensor, to means: [Double], share: Double) {
    moments.withMutableFloats { span in
      for index in means.indices {
        let before = Double(span[index])
        span[index] = Float(before + share * (means[index] - before))
      }
    }
  }

  /// Sum of the squares of the steps; with `parameters`, takes them.
  private func rootStep(
    _ parameters: Tensor?, _ gradient: Tensor, _ columns: Tensor, _ factors: [Float],
    _ constants: fk_root_step
  ) -> Double {
    let (height, width) = (gradient.rows, gradient.columns)
    let slice = Self.rowsOfSlice(height)
    let slices = (height + slice - 1) / slice
    var sums = [Double](repeating: 0, count: slices)
    unsafe sums.withUnsafeMutableBufferPointer { buffer in
      let buffer = unsafe buffer
      pool.run(chunks: slices) { index, _ in
        var constants = constants
        var sum = 0.0
        for row in index * slice..<min(height, (index + 1) * slice) {
          constants.variance_scale = factors[row]
          let x = unsafe gradient.floatPointer + row * width
          if let parameters {
            _ = unsafe kernels.pointee.root_step(
              &constants, parameters.floatPointer + row * width, x, columns.floatPointer,
              Int64(width))
          } else {
            sum += unsafe kernels.pointee.root_step(
              &constants, nil, x, columns.floatPointer, Int64(width))
          }
        }
        unsafe buffer[index] = sum
      }
    }
    return sums.reduce(0, +)
  }

  /// Rows that one thread takes at once: a number of their own, so that threads change no bit.
  private static func rowsOfSlice(_ height: Int) -> Int { max(1, (height + 63) / 64) }
}
