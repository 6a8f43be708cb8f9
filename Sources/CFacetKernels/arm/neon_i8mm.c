// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.
//
// NEON with products of matrices of bytes as well, for prefill.

#include "facet_kernels.h"

#if defined(__aarch64__)
#include "cpu.h"
#include <arm_neon.h>

#pragma clang attribute push(__attribute__((target("dotprod,i8mm"))), apply_to = function)
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
#include "../simd/integer_weights.inc"
#include "../simd/integer_panel.inc"
#include "integer_dot.inc"
#include "tile_i8mm.inc"
#include "../simd/matvec_integer.inc"
#include "../simd/gemm_integer.inc"

#define FK_NAME "neon-i8mm"
#define FK_GEMM_BF16 NULL
#define FK_INTEGERS 1
#include "../simd/table.inc"
#pragma clang attribute pop

const fk_kernels *fk_kernels_neon_i8mm(void);
const fk_kernels *fk_kernels_neon_i8mm(void) { return fk_has_dotprod() && fk_has_i8mm() ? &table : NULL; }
#endif
