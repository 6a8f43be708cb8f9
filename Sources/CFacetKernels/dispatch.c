// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.
//
// Which instruction set a call runs on. One binary serves every CPU of its architecture.

#include "facet_kernels.h"

const fk_kernels *fk_kernels_baseline(void);
#if defined(__x86_64__)
const fk_kernels *fk_kernels_avx2(void);
const fk_kernels *fk_kernels_avx512(void);
#elif defined(__aarch64__)
const fk_kernels *fk_kernels_neon(void);
const fk_kernels *fk_kernels_neon_dot(void);
const fk_kernels *fk_kernels_neon_i8mm(void);
#endif

const fk_kernels *fk_kernels_for(enum fk_isa isa) {
  switch (isa) {
  case FK_ISA_BASELINE: return fk_kernels_baseline();
#if defined(__x86_64__)
  case FK_ISA_AVX2: return fk_kernels_avx2();
  case FK_ISA_AVX512: return fk_kernels_avx512();
#elif defined(__aarch64__)
  case FK_ISA_NEON: return fk_kernels_neon();
  case FK_ISA_NEON_DOT: return fk_kernels_neon_dot();
  case FK_ISA_NEON_I8MM: return fk_kernels_neon_i8mm();
#endif
  default: return NULL;
  }
}

enum fk_isa fk_best_isa(void) {
#if defined(__aarch64__)
  if (fk_kernels_for(FK_ISA_NEON_I8MM)) return FK_ISA_NEON_I8MM;
  return fk_kernels_for(FK_ISA_NEON_DOT) ? FK_ISA_NEON_DOT : FK_ISA_NEON;
#else
  if (fk_kernels_for(FK_ISA_AVX512)) return FK_ISA_AVX512;
  return fk_kernels_for(FK_ISA_AVX2) ? FK_ISA_AVX2 : FK_ISA_BASELINE;
#endif
}
