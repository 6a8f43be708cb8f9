// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.
//
// A fixed little piece of work for each kernel that a model spends its time in, to be counted in
// instructions (scripts/check-instructions). Prints one name per piece in the order of the calls of
// `piece`, each of which the counter sees on its own.
//
//   kernel_work SET    SET: baseline, avx2, avx512

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facet_kernels.h"

enum { COLUMNS = 512, ROWS = 64, TOKENS = 16, WIDTH = 64, POSITIONS = 128, HEADS = 4 };

static const fk_kernels *kernels;
static float x[TOKENS * COLUMNS], y[TOKENS * COLUMNS], z[TOKENS * COLUMNS];
static uint8_t weights[ROWS * COLUMNS * 4 + 64];
static _Alignas(64) uint8_t prepared[TOKENS * COLUMNS * 4];
static _Alignas(64) uint8_t scratch[1 << 20], keys[1 << 20], values[1 << 20];

static _Alignas(64) float prepared_b[ROWS * 256];

static fk_matrix matrix;
static fk_kv cache = {keys, values, POSITIONS / FK_KV_BLOCK, 1, WIDTH, WIDTH, FK_F16};

static void decode_digits(void) { kernels->matvec_digits(&matrix, 0, ROWS, prepared, 1, y, ROWS); }
static void decode_sixteen(void) {
  kernels->gemm_digits(&matrix, 0, ROWS, prepared, TOKENS, y, ROWS, scratch);
}
static void decode_floats(void) { kernels->matvec(&matrix, 0, ROWS, x, COLUMNS, 1, y, ROWS); }
static void prefill_bytes(void) {
  kernels->gemm_bytes(&matrix, 0, ROWS, prepared, 0, TOKENS, TOKENS, y, ROWS, scratch);
}
static void prefill_floats(void) {
  kernels->gemm_f32(&matrix, 0, ROWS, x, COLUMNS, TOKENS, y, ROWS, false, scratch);
}
static void attend(int64_t first, int64_t tokens) {
  fk_attention a = {x, y, first, 0, HEADS, 0.1f, 0, 0};
  kernels->attention(&a, &cache, (fk_tile){.end = tokens, .parts = 1}, scratch);
}
static void attend_one(void) { attend(POSITIONS - 1, 1); }
static void attend_many(void) { attend(POSITIONS - TOKENS, TOKENS); }
static void norm(void) { kernels->rms_norm(x, z, 1e-6f, COLUMNS, y); }
static void gelu(void) { kernels->gelu_mul(x, z, COLUMNS, y); }
static void digits(void) { kernels->to_digits(x, COLUMNS, prepared); }
static void bytes(void) { kernels->to_bytes(x, COLUMNS, 0, 1, prepared); }
static void pack(void) { kernels->pack_f32(&matrix, 0, ROWS, 0, 256, prepared_b, ROWS * 64 * 4); }
static void transpose(void) { kernels->transpose_f32(x, 256, 256, TOKENS, 1, prepared, 32); }
static void multiply_packed(void) {
  kernels->gemm_packed_f32(TOKENS, 64, ROWS, x, COLUMNS, prepared_b, y, 64);
}
static void pack_integers(void) {
  kernels->pack_words(&matrix, 0, ROWS, 0, 256, scratch, ROWS * FK_K_BLOCK * 4);
}
static void rows_of_words(void) { kernels->row_to_words(x, 256, prepared); }
static void multiply_words(void) {
  kernels->gemm_packed_words(TOKENS, 64, ROWS, prepared, ROWS + 8, scratch, y, 64);
}
static void norm_back(void) {
  kernels->rms_norm_backward(x, z, z + COLUMNS, 1e-6f, COLUMNS, false, y, y + COLUMNS);
}
static void gelu_back(void) { kernels->gelu_mul_backward(z, x, y, COLUMNS); }
static void step(void) {
  fk_adamw a = {0.9f, 0.99f, 0.99f, 0.1f, 1.5f, 1e-8f, 1};
  kernels->adamw(&a, x, y, z, z + COLUMNS, COLUMNS);
}
static void step_bytes(void) {
  fk_adamw a = {0.9f, 0.99f, 0.99f, 0.1f, 1.5f, 1e-8f, 1};
  fk_moment_bytes moments = {prepared, (uint8_t *)prepared + COLUMNS, y};
  kernels->adamw_bytes(&a, x, &moments, z, COLUMNS);
}
static void step_sgd(void) {
  fk_momentum a = {0.9f, 0, 0.01f, 0.1f, 1};
  kernels->sgd(&a, x, y, z, COLUMNS);
}
static void step_lion(void) {
  fk_momentum a = {0.9f, 0.99f, 0.01f, 0.1f, 1};
  kernels->lion(&a, x, y, z, COLUMNS);
}
static void step_root(void) {
  fk_root_step a = {1, 1e-14f, 1, 0.99f, 0.1f};
  kernels->root_step(&a, x, y, z, COLUMNS);
}

// What is counted.
__attribute__((noinline)) void piece(void (*work)(void));
__attribute__((noinline)) void piece(void (*work)(void)) { work(); }

static void count(const char *name, const char *type, void (*work)(void)) {
  printf("%s%s%s\n", name, *type ? " " : "", type);
  piece(work);
}

int main(int arguments, char **values_of) {
  const enum fk_isa sets[] = {FK_ISA_BASELINE, FK_ISA_AVX2, FK_ISA_AVX512};
  for (int i = 0; i < 3 && !kernels; i++) {
    const fk_kernels *set = fk_kernels_for(sets[i]);
    if (set && arguments == 2 && !strcmp(set->name, values_of[1])) kernels = set;
  }
  if (!kernels) return fprintf(stderr, "usage: kernel_work baseline | avx2 | avx512\n"), 2;
  for (int i = 0; i < TOKENS * COLUMNS; i++) {
    x[i] = (float)(i * 37 % 101 - 50) / 25;
    z[i] = (float)(i * 53 % 89) / 50;
  }
  const struct {
    uint32_t id;
    const char *name;
    int columns, bytes;
  } types[] = {{FK_Q4_0, "Q4_0", 32, 18},  {FK_Q5_0, "Q5_0", 32, 22},  {FK_Q8_0, "Q8_0", 32, 34},
               {FK_Q4_K, "Q4_K", 256, 144}, {FK_Q6_K, "Q6_K", 256, 210}, {FK_BF16, "BF16", 1, 2}};
  for (int i = 0; i < 6; i++) {
    int64_t row_bytes = COLUMNS / types[i].columns * types[i].bytes;
    matrix = (fk_matrix){weights, row_bytes, COLUMNS, types[i].id};
    for (int r = 0; r < ROWS; r++)
      kernels->quantize(types[i].id, x + r * 7, NULL, COLUMNS, weights + r * row_bytes);
    bool whole = kernels->takes_integers && kernels->takes_integers(types[i].id, COLUMNS);
    if (whole) kernels->to_digits(x, COLUMNS, prepared);
    count("decode", types[i].name, whole ? decode_digits : decode_floats);
    for (int t = 0; whole && t < TOKENS; t++)
      kernels->to_digits(x + t * COLUMNS, COLUMNS, prepared + t * fk_digit_bytes(COLUMNS));
    if (whole && kernels->gemm_digits) count("decode of sixteen", types[i].name, decode_sixteen);
    for (int t = 0; whole && t < TOKENS; t++)
      kernels->to_bytes(x + t * COLUMNS, COLUMNS, t, TOKENS, prepared);
    count("prefill", types[i].name, whole ? prefill_bytes : prefill_floats);
  }
  kernels->store_kv(&cache, x, z, 0, POSITIONS);
  count("attention of one", "", attend_one);
  count("attention of sixteen", "", attend_many);
  count("norm", "", norm);
  count("gelu", "", gelu);
  if (kernels->to_digits) count("to digits", "", digits);
  if (kernels->to_bytes) count("to bytes", "", bytes);
  count("pack", "", pack); // of the last type above
  count("transpose", "", transpose);
  count("packed product", "", multiply_packed);
  if (kernels->gemm_packed_words) {
    count("pack to words", "", pack_integers);
    count("row to words", "", rows_of_words);
    count("packed product of words", "", multiply_words);
  }
  count("norm, back", "", norm_back);
  count("gelu, back", "", gelu_back);
  count("AdamW", "", step);
  memset(prepared, 0, 2 * COLUMNS);
  memset(y, 0, COLUMNS / FK_MOMENT_BLOCK * 2 * sizeof *y);
  count("AdamW, 8 bits", "", step_bytes);
  count("SGD", "", step_sgd);
  count("Lion", "", step_lion);
  count("Adafactor", "", step_root);
  return 0;
}
