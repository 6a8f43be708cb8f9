// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.
//
// Which extensions this CPU has, as the system tells it.

#ifndef FACET_ARM_CPU_H
#define FACET_ARM_CPU_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__linux__)
#include <sys/auxv.h>
// The bits of the kernel's interface, by their numbers: old headers lack the second.
static inline bool fk_has_dotprod(void) { return getauxval(AT_HWCAP) >> 20 & 1; }
static inline bool fk_has_i8mm(void) { return getauxval(AT_HWCAP2) >> 13 & 1; }
#elif defined(__APPLE__)
#include <sys/sysctl.h>
static inline bool fk_has_feature(const char *name) {
  int present = 0;
  size_t size = sizeof present;
  return sysctlbyname(name, &present, &size, NULL, 0) == 0 && present != 0;
}
static inline bool fk_has_dotprod(void) { return fk_has_feature("hw.optional.arm.FEAT_DotProd"); }
static inline bool fk_has_i8mm(void) { return fk_has_feature("hw.optional.arm.FEAT_I8MM"); }
#else
static inline bool fk_has_dotprod(void) { return false; }
static inline bool fk_has_i8mm(void) { return false; }
#endif

#endif
