// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.
//
// What every CPU of the architecture can run: SSE2 on x86-64. The last resort, and a second opinion
// for the tests.

#include "facet_kernels.h"

#define FK_HAS_F16 0
#define FK_MR 2
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

#define FK_NAME "baseline"
#define FK_GEMM_BF16 NULL
#include "../simd/table.inc"

const fk_kernels *fk_kernels_baseline(void);
const fk_kernels *fk_kernels_baseline(void) { return &table; }
