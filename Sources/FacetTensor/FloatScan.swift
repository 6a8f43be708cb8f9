// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A row of logits, read in vectors of 16: a vocabulary of 262,144 is scanned for its maximum in some
/// 15 µs and its exponentials are summed in a quarter of a millisecond, which is what makes sampling
/// over all of it affordable.
extension Span where Element == Float {
  typealias Lanes = SIMD16<Float>

  /// Numbers that maximum(in:) and sumOfExponentials(in:maximum:scale:) take at a time.
  static var block: Int { 1024 }

  @inline(__always)
  private func lanes(at index: Int) -> Lanes {
    let part = extracting(index..<index + 16)
    return Lanes(
      part[0], part[1], part[2], part[3], part[4], part[5], part[6], part[7],
      part[8], part[9], part[10], part[11], part[12], part[13], part[14], part[15])
  }

  /// The greatest number in `range`, NaNs left out; -∞ when there is none.
  package func maximum(in range: Range<Int>) -> Float {
    var greatest = Lanes(repeating: -.infinity)
    var index = range.lowerBound
    while range.upperBound - index >= 16 {
      let values = lanes(at: index)
      greatest = greatest.replacing(with: values, where: values .> greatest)
      index += 16
    }
    var result = greatest.max()
    while index < range.upperBound {
      if self[index] > result { result = self[index] }
      index += 1
    }
    return result
  }

  /// Where the greatest number is (the first of equals); nil when none is above -∞.
  package func indexOfMaximum() -> Int? {
    let block = 1024
    var greatest = -Float.infinity
    var place: Int?
    var start = 0
    while start < count {
      let end = Swift.min(start + block, count)
      let part = maximum(in: start..<end)
      if part > greatest {
        greatest = part
        place = start
      }
      start = end
    }
    guard var index = place else { return nil }
    while self[index] != greatest { index += 1 }
    return index
  }

  /// Σ exp((x − maximum) · scale) over `range`; lanes in f32, vectors summed in double.
  package func sumOfExponentials(in range: Range<Int>, maximum: Float, scale: Float) -> Double {
    var total = 0.0
    var index = range.lowerBound
    while range.upperBound - index >= 16 {
      var part = Lanes(repeating: 0)
      let end = Swift.min(index + 128, range.upperBound)
      while end - index >= 16 {
        part += exponentials((lanes(at: index) - maximum) * scale)
        index += 16
      }
      total += Double(part.sum())
    }
    while index < range.upperBound {
      total += Double(exp((self[index] - maximum) * scale))
      index += 1
    }
    return total
  }

  /// log Σ exp(x): what is taken off a logit to make it a log-probability.
  package func logSumExp() -> Double {
    let greatest = maximum(in: 0..<count)
    return Double(greatest)
      + log(sumOfExponentials(in: 0..<count, maximum: greatest, scale: 1))
  }
}

extension MutableSpan where Element == Float {
  /// Puts -∞ wherever `bits`, 64 numbers a word from the lowest bit on, has a zero or ends.
  ///
  /// Words that leave all as it is cost nothing, so that a guide of free text is as good as none.
  package mutating func clear(except bits: [UInt64]) {
    for (place, word) in bits.enumerated() where word != .max && place * 64 < count {
      let end = Swift.min(place * 64 + 64, count)
      var off = ~word
      while off != 0 {
        let index = place * 64 + off.trailingZeroBitCount
        if index >= end { break }
        self[index] = -.infinity
        off &= off - 1
      }
    }
    for index in Swift.min(bits.count * 64, count)..<count { self[index] = -.infinity }
  }
}

/// exp(x) for x ≤ 0, to 2 units in the last place; below -87 the result is at most 2e-38.
///
/// NaN stays.
///
/// Cephes' single precision method: x = n·ln 2 + r, a polynomial of degree 6 in r, then n into the
/// exponent.
@inline(__always)
private func exponentials(_ argument: SIMD16<Float>) -> SIMD16<Float> {
  let least = SIMD16<Float>(repeating: -87)
  let x = argument.replacing(with: least, where: argument .< least)
  // Adding 1.5·2²³ rounds to a whole number that stands in the low bits.
  let magic = SIMD16<Float>(repeating: 12_582_912)
  let shifted = x * 1.442_695_04 + magic
  let n = shifted - magic
  let r = (x - n * 0.693_359_375) + n * 2.121_944_40e-4
  var p = SIMD16<Float>(repeating: 1.987_569_150_0e-4)
  p = p * r + 1.398_199_950_7e-3
  p = p * r + 8.333_451_907_3e-3
  p = p * r + 4.166_579_589_4e-2
  p = p * r + 1.666_666_545_9e-1
  p = p * r + 5.000_000_120_1e-1
  let y = p * r * r + r + 1
  // Float, Int32 and Float again are of one size: the casts only rename bits.
  let whole = unsafe unsafeBitCast(shifted, to: SIMD16<Int32>.self) &- 0x4b40_0000
  let scale = unsafe unsafeBitCast((whole &+ 127) &<< 23, to: SIMD16<Float>.self)
  return y * scale
}
