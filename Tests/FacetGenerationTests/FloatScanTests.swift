// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import FacetTestSupport
import Foundation
import Testing

@Suite("Scans over a row of logits")
struct FloatScanTests {
  @Test(
    "maximum, its place and the exponentials agree with the plain loop",
    arguments: [
      1, 7, 15, 16, 17, 31, 33, 127, 128, 129, 1000, 4099,
    ])
  func agreesWithPlainLoop(_ count: Int) {
    let row = SamplerTests.logits(count, spread: 12, seed: UInt64(count))
    let maximum = row.max() ?? 0
    #expect(row.maximum(in: 0..<count) == maximum)
    #expect(row.indexOfMaximum() == row.firstIndex(of: maximum))
    for scale in [1, 0.5, 3] as [Float] {
      let expected = row.reduce(0.0) { $0 + exp(Double(($1 - maximum) * scale)) }
      let sum = row.sumOfExponentials(in: 0..<count, maximum: maximum, scale: scale)
      #expect(abs(sum - expected) < 2e-6 * expected)
    }
    let part = count / 3..<count - count / 4
    #expect(row.maximum(in: part) == row[part].max() ?? -.infinity)
  }

  @Test("an exponential is right to two units in the last place, far below zero too")
  func exponentials() {
    for step in 0..<8000 {
      let x = -Float(step) * 0.0107
      // Fifteen lanes far below, so that one exponential is all there is.
      var row = [Float](repeating: -500, count: 16)
      row[5] = x
      let expected = exp(Double(x))
      let found = row.sumOfExponentials(in: 0..<16, maximum: 0, scale: 1)
      #expect(abs(found - expected) <= 2.4e-7 * expected + 16 * 2e-38, "exp(\(x))")
    }
  }

  @Test(
    "what a mask does not name is -∞, the rest as it was, also behind the mask's end",
    arguments: [0, 1, 63, 64, 65, 130, 200, 1000])
  func cleared(count: Int) {
    var generator = SeededGenerator(salt: UInt64(count), seed: 1)
    for words in [0, 1, 2, 4, 20] {
      let bits = (0..<words).map { index -> UInt64 in
        switch index % 4 {
        case 0: generator.next()
        case 1: 0
        case 2: UInt64.max
        default: 1 << UInt64(index)
        }
      }
      var row = (0..<count).map(Float.init)
      var span = row.mutableSpan
      span.clear(except: bits)
      for index in 0..<count {
        let isKept = index / 64 < words && bits[index / 64] >> UInt64(index % 64) & 1 == 1
        #expect(row[index] == (isKept ? Float(index) : -.infinity), "\(index) of \(count)")
      }
    }
  }

  @Test("NaN is never the maximum; a row without numbers has none")
  func withoutNumbers() {
    #expect([Float.nan, 2, .nan].indexOfMaximum() == 1)
    #expect([Float.nan, .nan].indexOfMaximum() == nil)
    #expect([Float]().indexOfMaximum() == nil)
    #expect([-Float.infinity].indexOfMaximum() == nil)
  }
}
