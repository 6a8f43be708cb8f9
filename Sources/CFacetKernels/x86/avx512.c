// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.
//
// AVX-512 (F, BW, VL, DQ): Skylake-X and later, Zen 4 and later. A tile of 6 × 64 keeps 24 registers
// of sums. With AVX512-BF16 (Cooper Lake, Sapphire Rapids, Zen 4) prefill multiplies bf16 pairs; with
// AVX512-VNNI (Cascade Lake, Zen 4) decode multiplies integers.

#include "facet_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c"))), apply_to = function)
#define FK_HAS_F16 1
#define FK_MR 6
#define FK_NV 4
#include "../simd/vector.inc"
#include "../simd/blocks.inc"
#include "../simd/matvec.inc"
#include "../simd/gemm.inc"
#include "../simd/rows.inc"
#include "../simd/quantize.inc"
#include "../simd/quantize_k.inc"
#include "../simd/kv.inc"
#include "../simd/attention.inc"
#include "../simd/product.inc"
#include "../simd/training.inc"
#include "../simd/optimizers.inc"
#include "../simd/attention_slopes.inc"
#include "../simd/ceilings.inc"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512bf16,avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c"))), apply_to = function)
#include "gemm_bf16.inc"
#include "attention_bf16.inc"
#include "product_bf16.inc"
#include "attention_backward_bf16.inc"
#include "peak_bf16.inc"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512vnni,avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c"))), apply_to = function)
#include "integers.inc"
#include "matvec_vnni.inc"
#include "gemm_vnni.inc"
#include "peak_vnni.inc"
#pragma clang attribute pop

#define FK_NAME "avx512"
#define FK_GEMM_BF16 NULL
#include "../simd/table.inc"

const fk_kernels *fk_kernels_avx2(void);
const fk_kernels *fk_kernels_avx512(void);
const fk_kernels *fk_kernels_avx512(void) {
  static fk_kernels chosen;
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512dq") ||
      !fk_kernels_avx2())
    return NULL;
  fk_kernels best = table;
  if (__builtin_cpu_supports("avx512bf16")) {
    best.gemm_bf16 = gemm_bf16;
    best.attention_bf16 = attention_bf16;
    best.pack_heads_bf16 = pack_heads_bf16;
    best.attention_backward_bf16 = attention_backward_bf16;
    best.pack_bf16 = pack_bf16;
    best.transpose_bf16 = transpose_bf16;
    best.gemm_packed_bf16 = gemm_packed_bf16;
    best.peak_bf16 = peak_bf16;
  }
  if (__builtin_cpu_supports("avx512vnni")) {
    best.matvec_digits = matvec_digits;
    best.to_digits = to_digits;
    best.takes_integers = takes_integers;
    best.gemm_bytes = gemm_bytes;
    best.to_bytes = to_bytes;
    best.peak_bytes = peak_bytes;
  } else { // every CPU with AVX-512 has AVX2, whose integer products beat f32's
    const fk_kernels *avx2 = fk_kernels_avx2();
    best.matvec_digits = avx2->matvec_digits;
    best.to_digits = avx2->to_digits;
    best.gemm_digits = avx2->gemm_digits;
    best.takes_integers = avx2->takes_integers;
    best.gemm_bytes = avx2->gemm_bytes;
    best.to_bytes = avx2->to_bytes;
  }
  chosen = best; // every caller writes the same bytes
  return &chosen;
}
#endif
