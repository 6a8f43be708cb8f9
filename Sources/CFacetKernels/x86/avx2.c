// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.
//
// AVX2 with FMA and F16C: Haswell (2013) and later, Zen and later. A tile of 6 × 16 fills twelve of
// the sixteen registers with sums. Quantised weights are multiplied as integers (integer_avx2.inc).

#include "facet_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define FK_HAS_F16 1
#define FK_MR 6
#define FK_NV 1
#include "../simd/vector.inc"
#include "../simd/blocks.inc"
#include "../simd/matvec.inc"
#include "../simd/gemm.inc"
#include "../simd/rows.inc"
#include "../simd/quantize.inc"
#include "../simd/quantize_k.inc"
#include "../simd/kv.inc"
#include "../simd/attention.inc"
#include "../simd/integer_weights.inc"
#include "../simd/integer_panel.inc"
#include "integer_avx2.inc"
#include "../simd/matvec_integer.inc"
#include "../simd/gemm_integer.inc"
#include "gemm_words.inc"
#include "../simd/product.inc"
#include "product_words.inc"
#include "../simd/training.inc"
#include "../simd/optimizers.inc"
#include "../simd/attention_slopes.inc"
#include "../simd/ceilings.inc"

#define FK_NAME "avx2"
#define FK_GEMM_BF16 NULL
#define FK_INTEGERS 1
#define FK_GEMM_DIGITS gemm_digits
#define FK_PACKED_WORDS 1
#include "../simd/table.inc"
#pragma clang attribute pop

const fk_kernels *fk_kernels_avx2(void);
const fk_kernels *fk_kernels_avx2(void) {
  __builtin_cpu_init();
  bool present = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                 __builtin_cpu_supports("f16c");
  return present ? &table : NULL;
}
#endif
