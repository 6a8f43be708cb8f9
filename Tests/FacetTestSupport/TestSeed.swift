// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// Random numbers that a seed repeats (SplitMix64).
public struct SeededGenerator: RandomNumberGenerator {
  /// The seed of this run: `FACET_TEST_SEED`, or a new one.
  public static let runSeed: UInt64 = {
    let given = ProcessInfo.processInfo.environment["FACET_TEST_SEED"].flatMap { UInt64($0) }
    return given ?? UInt64.random(in: 0..<1 << 32)
  }()

  private var state: UInt64

  /// Begins a sequence; `salt` gives each test its own.
  public init(salt: UInt64, seed: UInt64 = runSeed) {
    state = seed &* 0x9E37_79B9_7F4A_7C15 ^ salt
  }

  /// Begins a test's sequence and prints the seed that repeats it.
  public static func announced(_ test: String, salt: UInt64) -> SeededGenerator {
    print("\(test): FACET_TEST_SEED=\(runSeed)")
    return SeededGenerator(salt: salt)
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
