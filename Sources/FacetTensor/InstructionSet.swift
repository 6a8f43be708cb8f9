// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels

/// The kernels this process runs: one of the sets compiled in, chosen by what the CPU has.
public enum InstructionSet: String, Sendable, CaseIterable {
  case baseline
  case avx2
  case avx512
  case neon

  /// The best that this CPU has.
  public static var best: InstructionSet {
    switch fk_best_isa() {
    case FK_ISA_AVX2: .avx2
    case FK_ISA_AVX512: .avx512
    case FK_ISA_NEON: .neon
    default: .baseline
    }
  }

  /// Those that this CPU and build have.
  public static var available: [InstructionSet] {
    allCases.filter { unsafe $0.kernels != nil }
  }

  var kernels: UnsafePointer<fk_kernels>? {
    switch self {
    case .baseline: unsafe fk_kernels_for(FK_ISA_BASELINE)
    case .avx2: unsafe fk_kernels_for(FK_ISA_AVX2)
    case .avx512: unsafe fk_kernels_for(FK_ISA_AVX512)
    case .neon: unsafe fk_kernels_for(FK_ISA_NEON)
    }
  }
}

/// How exactly the arithmetic follows the model's definition.
public enum Precision: String, Sendable, CaseIterable, Codable {
  /// Activations, cache and every product in f32; agrees with an f32 reference to rounding.
  case exact
  /// Prefill multiplies in bf16 where the CPU can, the cache is in half precision; sums in f32.
  case fast
}
