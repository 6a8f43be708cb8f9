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

// What a step of training does with whole tensors. Ranges have a size of their own, so that the number of
// threads changes no bit.
extension CPUBackend {
  /// Numbers of a range: some tens of microseconds of work.
  static let rangeCount = 32 << 10

  /// Runs `body` over ranges of `0..<count` on the pool; `range` counts them.
  func overRanges(_ count: Int, _ body: (_ numbers: Range<Int>, _ range: Int) -> Void) {
    let ranges = (count + Self.rangeCount - 1) / Self.rangeCount
    pool.run(chunks: ranges) { range, _ in
      let begin = range * Self.rangeCount
      body(begin..<min(count, begin + Self.rangeCount), range)
    }
  }

  /// The same with the numbers of a gradient in f32, of whatever type it is.
  func overGradient(
    _ gradient: Tensor,
    _ body: (_ numbers: Range<Int>, _ range: Int, _ gradient: UnsafePointer<Float>) -> Void
  ) {
    if gradient.dtype == .f32 {
      return overRanges(gradient.count) { numbers, range in
        unsafe body(numbers, range, gradient.floatPointer + numbers.lowerBound)
      }
    }
    let dtype = gradient.dtype
    precondition(dtype == .bf16, "a gradient of \(dtype)")
    pool.exclusively { turn in
      scratch.reserve(perWorker: Self.rangeCount * MemoryLayout<Float>.size)
      turn.run(chunks: (gradient.count + Self.rangeCount - 1) / Self.rangeCount) { range, worker in
        let begin = range * Self.rangeCount
        let numbers = begin..<min(gradient.count, begin + Self.rangeCount)
        let floats = unsafe scratch.part(worker).assumingMemoryBound(to: Float.self)
        unsafe kernels.pointee.dequantize(
          dtype.rawValue, gradient.pointer + begin * MemoryLayout<UInt16>.size,
          Int64(numbers.count), floats)
        unsafe body(numbers, range, floats)
      }
    }
  }

  /// One step of AdamW on `parameters`, their moments `first` and `second`, all f32 and of one size; the
  /// gradient may be bf16.
  package func adamW(
    _ parameters: Tensor, first: Tensor, second: Tensor, gradient: Tensor, step: AdamWStep
  ) {
    let count = parameters.count
    precondition(
      first.count == count && second.count == count && gradient.count == count && step.number > 0,
      "step \(step.number) of \(count) parameters")
    let constants = step.constants
    unsafe overGradient(gradient) { numbers, _, gradient in
      var constants = constants
      let at = numbers.lowerBound
      unsafe kernels.pointee.adamw(
        &constants, parameters.floatPointer + at, first.floatPointer + at,
        second.floatPointer + at, gradient, Int64(numbers.count))
    }
  }

  /// Σ x², each square and their sum in double.
  package func sumOfSquares(_ x: Tensor) -> Double {
    let ranges = (x.count + Self.rangeCount - 1) / Self.rangeCount
    var sums = [Double](repeating: 0, count: ranges)
    unsafe sums.withUnsafeMutableBufferPointer { buffer in
      let buffer = unsafe buffer
      unsafe overGradient(x) { numbers, range, x in
        unsafe buffer[range] = kernels.pointee.sum_squares(x, Int64(numbers.count))
      }
    }
    return sums.reduce(0, +)
  }

  package func scale(_ x: Tensor, by factor: Float) {
    overRanges(x.count) { numbers, _ in
      unsafe kernels.pointee.scale(
        x.floatPointer + numbers.lowerBound, factor, Int64(numbers.count))
    }
  }
}

extension AdamWStep {
  /// What the kernels take.
  var constants: fk_adamw {
    let times = Double(number)
    return fk_adamw(
      first_decay: firstDecay, second_decay: secondDecay,
      keep: Float(1 - Double(learningRate) * Double(weightDecay)),
      step: Float(Double(learningRate) / (1 - pow(Double(firstDecay), times))),
      root_scale: Float((1 / (1 - pow(Double(secondDecay), times))).squareRoot()),
      epsilon: epsilon, gradient_scale: gradientScale)
  }
}
