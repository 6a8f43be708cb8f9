// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.
//
// NEON: every 64-bit Arm. A tile of 4 × 16 keeps sixteen of 32 registers for sums.

#include "facet_kernels.h"

#if defined(__aarch64__)
#define FK_HAS_F16 1
#define FK_MR 4
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
#include "../simd/product.inc"
#include "../simd/training.inc"
#include "../simd/optimizers.inc"
#include "../simd/attention_slopes.inc"
#include "../simd/ceilings.inc"

#define FK_NAME "neon"
#define FK_GEMM_BF16 NULL
#include "../simd/table.inc"

const fk_kernels *fk_kernels_neon(void);
const fk_kernels *fk_kernels_neon(void) { return &table; }
#endif
