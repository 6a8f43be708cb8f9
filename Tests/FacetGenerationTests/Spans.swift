// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetTensor

// Expectations cannot hold spans, so arrays lend theirs here.

extension Array where Element == Float {
  func maximum(in range: Range<Int>) -> Float { span.maximum(in: range) }
  func indexOfMaximum() -> Int? { span.indexOfMaximum() }
  func sumOfExponentials(in range: Range<Int>, maximum: Float, scale: Float) -> Double {
    span.sumOfExponentials(in: range, maximum: maximum, scale: scale)
  }
}

extension Sampler {
  mutating func next(_ row: [Float]) throws -> Int32 { try next(row.span) }

  mutating func distribution(_ row: [Float]) throws -> [(token: Int32, probability: Double)] {
    try distribution(row.span)
  }

  mutating func logProbabilities(
    of token: Int32, top count: Int, in row: [Float]
  ) -> (chosen: Float, top: [TokenLogProbability]) {
    logProbabilities(of: token, top: count, in: row.span)
  }
}
