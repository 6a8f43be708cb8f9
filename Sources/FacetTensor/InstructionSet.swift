// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels

/// The kernels this process runs: one of the sets compiled in, chosen by what the CPU has.
public enum InstructionSet: String, Sendable, CaseIterable {
  /// No kernels: plain loops in Swift, sums in double, one thread, very slow (``ReferenceBackend``).
  case reference
  /// What every CPU of the architecture has.
  case baseline
  /// x86-64 with AVX2, FMA and F16C.
  case avx2
  /// x86-64 with AVX-512, and its bf16 and integer dot products where the CPU has them.
  case avx512
  /// 64-bit Arm.
  case neon
  /// 64-bit Arm with dot products of bytes.
  case neonDot = "neon-dotprod"
  /// 64-bit Arm with products of matrices of bytes as well.
  case neonI8MM = "neon-i8mm"

  /// The best that this CPU has.
  public static var best: InstructionSet {
    switch fk_best_isa() {
    case FK_ISA_AVX2: .avx2
    case FK_ISA_AVX512: .avx512
    case FK_ISA_NEON: .neon
    case FK_ISA_NEON_DOT: .neonDot
    case FK_ISA_NEON_I8MM: .neonI8MM
    default: .baseline
    }
  }

  /// Whether a model can run on it here.
  public var isAvailable: Bool {
    if self == .reference { return true }
    return unsafe kernels != nil
  }

  /// Those with kernels that this CPU and build have.
  public static var available: [InstructionSet] {
    allCases.filter { unsafe $0.kernels != nil }
  }

  var kernels: UnsafePointer<fk_kernels>? {
    switch self {
    case .reference: nil
    case .baseline: unsafe fk_kernels_for(FK_ISA_BASELINE)
    case .avx2: unsafe fk_kernels_for(FK_ISA_AVX2)
    case .avx512: unsafe fk_kernels_for(FK_ISA_AVX512)
    case .neon: unsafe fk_kernels_for(FK_ISA_NEON)
    case .neonDot: unsafe fk_kernels_for(FK_ISA_NEON_DOT)
    case .neonI8MM: unsafe fk_kernels_for(FK_ISA_NEON_I8MM)
    }
  }
}

/// How exactly the arithmetic follows the model's definition.
public enum Precision: String, Sendable, CaseIterable, Codable {
  /// Activations, cache and every product in f32; agrees with an f32 reference to rounding.
  case exact
  /// Prefill multiplies in bf16 where the CPU can, the cache is in half precision; sums in f32.
  case fast
  /// Every product in bf16 where the CPU can, whatever the type of the weights, or in integers of 16 bits where
  /// that is faster than f32; sums in f32: training.
  case mixed
}
