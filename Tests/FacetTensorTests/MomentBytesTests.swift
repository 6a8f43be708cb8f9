// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import Foundation
import Testing

/// The 8-bit moments of AdamW against the definition of their codes.
@Suite("Moments of 8 bits")
struct MomentBytesTests {
  /// What a code stands for, in units (facet_kernels.h).
  static func value(_ code: Int, exponents: Int) -> Double {
    code < 16
      ? Double(code) * pow(2, Double(-3 - exponents))
      : (1 + Double(code % 16) / 16) * pow(2, Double(code / 16 - exponents))
  }

  static func codes(_ tensor: Tensor) -> [Int] {
    tensor.floats().flatMap { number in (0..<4).map { Int(number.bitPattern >> (8 * $0)) & 255 } }
  }

  @Test(
    "codes are the nearest ones, and no second moment is lost", arguments: InstructionSet.available)
  func codes(_ set: InstructionSet) throws {
    var random = RandomTensors(seed: 33)
    let backend = try #require(CPUBackend(threads: 2, instructionSet: set))
    for count in [1, 17, 256, 1000, 40_000] {
      let gradient = try random.floats(1, count)
      gradient.write(gradient.floats().enumerated().map { $1 * exp(-Float($0 % 24)) })
      let moments = try MomentBytes(count: count)
      backend.adamW(
        try random.floats(1, count), moments: moments, gradient: gradient,
        step: AdamWStep(learningRate: 0.1, firstDecay: 0.5, secondDecay: 0.5, number: 1))
      let (first, second) = (Self.codes(moments.first), Self.codes(moments.second))
      let units = moments.units.floats().map(Double.init)
      for (index, g) in gradient.floats().map(Double.init).enumerated() {
        let (m, v) = (0.5 * g, 0.5 * g * g)
        let (mUnit, vUnit) = (units[index / 256 * 2], units[index / 256 * 2 + 1])
        let size = Self.value(first[index] & 127, exponents: 7) * mUnit
        let found = first[index] > 127 ? -size : size
        #expect(abs(found - m) <= max(abs(m) / 32, mUnit / 2048) * 1.0001, "\(index) of \(count)")
        let square = Self.value(second[index], exponents: 15) * vUnit
        #expect(abs(square - v) <= max(v / 32, vUnit / 262_144) * 1.0001, "\(index) of \(count)")
        #expect((second[index] > 0) == (v > 0))
      }
    }
  }
}
