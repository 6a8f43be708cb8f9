// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.
//
// Runs every kernel of every instruction set of this CPU on random inputs, without Swift: the same on an
// emulated CPU (scripts/check-arm) as on a real one. The oracle is arithmetic in double precision, or
// the baseline kernels where the contract says "equal bits". Where the products are integers the inputs
// are also chosen so that f32 holds every sum exactly, and then the results must be equal.
//
//   kernel_check [--seed N] [--spoil | --list]
//
// --list only names the instruction sets.
// --spoil changes one number of every result before it is compared, so every comparison must fail. Exit
// code 0: all hold; 1: some do not, each on a line that names instruction set, kernel, type and shape.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facet_kernels.h"

static uint64_t state;
static int is_spoiled, comparisons, failures;
static const fk_kernels *kernels, *baseline;

// SplitMix64.
static uint64_t next(void) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}
static int below(int n) { return (int)(next() % (uint64_t)n); }
static float noise(void) { // roughly normal
  float sum = 0;
  for (int i = 0; i < 4; i++) sum += (float)(next() >> 40) / 0x1p24f - 0.5f;
  return 1.7f * sum;
}

static void *room(size_t bytes) {
  void *p = NULL;
  if (posix_memalign(&p, 64, (bytes + 63) / 64 * 64) != 0) exit(3);
  return memset(p, 0, bytes);
}

static void report(const char *kernel, const char *what, double error, double bound) {
  comparisons++;
  if (error <= bound) return;
  failures++;
  printf("%s %s %s: error %.3g, allowed %.3g\n", kernels->name, kernel, what, error, bound);
}

// The largest difference over the largest expected value; a bound of zero means equal.
static void near(const char *kernel, const char *what, float *actual, const double *expected,
                 int64_t count, double bound) {
  double largest = 1e-30, error = 0;
  for (int64_t i = 0; i < count; i++) largest = fmax(largest, fabs(expected[i]));
  if (is_spoiled) actual[0] += (float)(4 * bound * largest + 1);
  for (int64_t i = 0; i < count; i++) {
    double e = fabs(actual[i] - expected[i]);
    error = fmax(error, isnan(e) ? INFINITY : e);
  }
  report(kernel, what, error / largest, bound);
}
static void near_f32(const char *kernel, const char *what, float *actual, const float *expected,
                     int64_t count, double bound) {
  double *wide = room((size_t)count * sizeof(double));
  for (int64_t i = 0; i < count; i++) wide[i] = expected[i];
  near(kernel, what, actual, wide, count, bound);
  free(wide);
}
static void equal(const char *kernel, const char *what, void *actual, const void *expected,
                  size_t bytes) {
  if (is_spoiled) ((uint8_t *)actual)[0] ^= 1;
  size_t different = 0;
  for (size_t i = 0; i < bytes; i++)
    different += ((uint8_t *)actual)[i] != ((const uint8_t *)expected)[i];
  report(kernel, what, (double)different, 0);
}

typedef struct type {
  uint32_t id;
  const char *name;
  int columns, bytes;           // of a block
  int halves[2];                // where its scale and minimum lie, or -1
} type;
static const type types[] = {
    {FK_F32, "F32", 1, 4, {-1, -1}},       {FK_F16, "F16", 1, 2, {-1, -1}},
    {FK_BF16, "BF16", 1, 2, {-1, -1}},     {FK_Q4_0, "Q4_0", 32, 18, {0, -1}},
    {FK_Q4_1, "Q4_1", 32, 20, {0, 2}},     {FK_Q5_0, "Q5_0", 32, 22, {0, -1}},
    {FK_Q5_1, "Q5_1", 32, 24, {0, 2}},     {FK_Q8_0, "Q8_0", 32, 34, {0, -1}},
    {FK_Q2_K, "Q2_K", 256, 84, {80, 82}},  {FK_Q3_K, "Q3_K", 256, 110, {108, -1}},
    {FK_Q4_K, "Q4_K", 256, 144, {0, 2}},   {FK_Q5_K, "Q5_K", 256, 176, {0, 2}},
    {FK_Q6_K, "Q6_K", 256, 210, {208, -1}}};

// A product: weights in a type, activations, and the exact result.
typedef struct product {
  const type *t;
  fk_matrix matrix;
  int64_t rows, columns, tokens;
  float *x;
  double *expected;             // [tokens][rows]
  double magnitude;             // the largest Σ |w·x|, offsets counted as terms of their own
  char shape[80];
} product;

// Blocks of random bits with scales of 0.0078 to 0.0156.
static uint8_t *random_blocks(const type *t, int64_t rows, int64_t columns) {
  int64_t blocks = rows * columns / t->columns;
  uint8_t *data = room((size_t)(blocks * t->bytes) + 64);
  for (int64_t b = 0; b < blocks; b++) {
    uint8_t *p = data + b * t->bytes;
    float x = noise();
    if (t->columns == 1) baseline->quantize(t->id, &x, NULL, 1, p);
    else for (int i = 0; i < t->bytes; i++) p[i] = (uint8_t)next();
    for (int i = 0; i < 2; i++)
      if (t->halves[i] >= 0) p[t->halves[i] + 1] = (uint8_t)(0x20 | below(4));
  }
  return data;
}

// Blocks of random integers whose scales are 0 or 1 and whose minima are whole.
static uint8_t *whole_blocks(const type *t, int64_t rows, int64_t columns) {
  int64_t blocks = rows * columns / t->columns;
  uint8_t *data = room((size_t)(blocks * t->bytes) + 64);
  for (int64_t b = 0; b < blocks; b++) {
    uint8_t *p = data + b * t->bytes;
    for (int i = 0; i < t->bytes; i++) p[i] = (uint8_t)next();
    for (int i = 0; i < 2; i++)
      if (t->halves[i] >= 0) p[t->halves[i]] = 0, p[t->halves[i] + 1] = 0x3c; // 1.0
    for (int i = 0; i < 16; i++) switch (t->id) {
      case FK_Q2_K: p[i] &= 0x11; break;
      case FK_Q3_K: if (i < 12) p[96 + i] = i < 8 ? p[96 + i] & 0x11 : 0xaa; break;
      case FK_Q4_K:
      case FK_Q5_K: if (i < 12) p[4 + i] &= 1; break;
      case FK_Q6_K: p[192 + i] = (uint8_t)(below(3) - 1); break;
      default: break;
      }
  }
  return data;
}

static product make(const type *t, uint8_t *data, int64_t tokens, int64_t rows, int64_t columns) {
  product p = {.t = t, .rows = rows, .columns = columns, .tokens = tokens};
  p.matrix = (fk_matrix){data, columns / t->columns * t->bytes, columns, t->id};
  p.x = room((size_t)(tokens * columns) * sizeof(float) + 64);
  for (int64_t i = 0; i < tokens * columns; i++) p.x[i] = noise();
  snprintf(p.shape, sizeof p.shape, "%s, %d tokens, %d × %d", t->name, (int)tokens, (int)rows,
           (int)columns);
  return p;
}
static void expect(product *p) {
  p->expected = room((size_t)(p->tokens * p->rows) * sizeof(double));
  float *w = room((size_t)p->columns * sizeof(float));
  double offset = p->t->id == FK_Q5_0 ? 16 : p->t->id == FK_Q6_K ? 32 : 8;
  for (int64_t r = 0; r < p->rows; r++) {
    baseline->dequantize(p->t->id, (const uint8_t *)p->matrix.data + r * p->matrix.row_bytes,
                         p->columns, w);
    for (int64_t t = 0; t < p->tokens; t++) {
      double sum = 0, magnitude = 0;
      for (int64_t i = 0; i < p->columns; i++) {
        double x = p->x[t * p->columns + i];
        sum += w[i] * x;
        magnitude += (fabs((double)w[i]) + offset) * fabs(x);
      }
      p->expected[t * p->rows + r] = sum;
      p->magnitude = fmax(p->magnitude, magnitude);
    }
  }
  free(w);
}
static void release(product *p) {
  free((void *)(uintptr_t)p->matrix.data);
  free(p->x);
  free(p->expected);
}

static void by_digits(const product *p, double bound) {
  int64_t row = fk_digit_bytes(p->columns);
  uint8_t *x = room((size_t)(p->tokens * row));
  float *y = room((size_t)(p->tokens * p->rows) * sizeof(float));
  for (int64_t t = 0; t < p->tokens; t++)
    kernels->to_digits(p->x + t * p->columns, p->columns, x + t * row);
  int64_t middle = p->rows / 2;
  kernels->matvec_digits(&p->matrix, 0, middle, x, (int32_t)p->tokens, y, p->rows);
  kernels->matvec_digits(&p->matrix, middle, p->rows, x, (int32_t)p->tokens, y, p->rows);
  near("matvec_digits", p->shape, y, p->expected, p->tokens * p->rows, bound);
  free(x);
  free(y);
}
static void by_word_panels(const product *p, double bound) {
  int64_t row = fk_digit_bytes(p->columns);
  uint8_t *x = room((size_t)(p->tokens * row));
  float *y = room((size_t)(p->tokens * p->rows) * sizeof(float));
  void *scratch = room(FK_WORD_SCRATCH);
  for (int64_t t = 0; t < p->tokens; t++)
    kernels->to_digits(p->x + t * p->columns, p->columns, x + t * row);
  int64_t parts[] = {0, p->rows / 3, p->rows}; // panels begin and end anywhere
  for (int i = 0; i < 2; i++)
    kernels->gemm_digits(&p->matrix, parts[i], parts[i + 1], x, p->tokens, y, p->rows, scratch);
  near("gemm_digits", p->shape, y, p->expected, p->tokens * p->rows, bound);
  free(x);
  free(y);
  free(scratch);
}
// By whatever multiplies digits and takes as many tokens.
static void by_digit_products(const product *p, double bound) {
  if (p->tokens <= FK_DIGIT_TOKENS) by_digits(p, bound);
  if (kernels->gemm_digits) by_word_panels(p, bound);
}
static void by_bytes(const product *p, double bound) {
  uint8_t *x = room((size_t)(p->tokens * fk_byte_bytes(p->columns)));
  float *y = room((size_t)(p->tokens * p->rows) * sizeof(float));
  void *scratch = room(FK_GEMM_SCRATCH);
  for (int64_t t = 0; t < p->tokens; t++)
    kernels->to_bytes(p->x + t * p->columns, p->columns, t, p->tokens, x);
  int64_t middle = p->tokens / 2;
  for (int64_t r = 0; r < p->rows; r += FK_PANEL_ROWS) {
    int64_t end = r + FK_PANEL_ROWS < p->rows ? r + FK_PANEL_ROWS : p->rows;
    kernels->gemm_bytes(&p->matrix, r, end, x, 0, middle, p->tokens, y + r, p->rows, scratch);
    kernels->gemm_bytes(&p->matrix, r, end, x, middle, p->tokens - middle, p->tokens,
                        y + middle * p->rows + r, p->rows, scratch);
  }
  near("gemm_bytes", p->shape, y, p->expected, p->tokens * p->rows, bound);
  free(x);
  free(y);
  free(scratch);
}
static void by_floats(const product *p) {
  float *y = room((size_t)(p->tokens * p->rows) * sizeof(float));
  void *scratch = room(FK_GEMM_SCRATCH);
  if (p->tokens <= FK_MATVEC_TOKENS) {
    kernels->matvec(&p->matrix, 0, p->rows, p->x, p->columns, (int32_t)p->tokens, y, p->rows);
    near("matvec", p->shape, y, p->expected, p->tokens * p->rows, 2e-6);
  }
  for (int64_t r = 0; r < p->rows; r += FK_PANEL_ROWS) {
    int64_t end = r + FK_PANEL_ROWS < p->rows ? r + FK_PANEL_ROWS : p->rows;
    kernels->gemm_f32(&p->matrix, r, end, p->x, p->columns, p->tokens, y + r, p->rows, false,
                      scratch);
  }
  near("gemm_f32", p->shape, y, p->expected, p->tokens * p->rows, 2e-6);
  for (int64_t r = 0; r < p->rows; r += FK_PANEL_ROWS) { // once more, added, and taken back
    int64_t end = r + FK_PANEL_ROWS < p->rows ? r + FK_PANEL_ROWS : p->rows;
    kernels->gemm_f32(&p->matrix, r, end, p->x, p->columns, p->tokens, y + r, p->rows, true,
                      scratch);
  }
  for (int64_t i = 0; i < p->tokens * p->rows; i++) y[i] *= 0.5f;
  near("gemm_f32 adding", p->shape, y, p->expected, p->tokens * p->rows, 2e-6);
  if (kernels->gemm_bf16 && p->columns % 32 == 0) {
    uint16_t *x = room((size_t)(p->tokens * p->columns) * 2);
    kernels->to_bf16(p->x, p->tokens * p->columns, x);
    for (int64_t r = 0; r < p->rows; r += FK_PANEL_ROWS) {
      int64_t end = r + FK_PANEL_ROWS < p->rows ? r + FK_PANEL_ROWS : p->rows;
      kernels->gemm_bf16(&p->matrix, r, end, x, p->columns, p->tokens, y + r, p->rows, false,
                         scratch);
      kernels->gemm_bf16(&p->matrix, r, end, x, p->columns, p->tokens, y + r, p->rows, true,
                         scratch);
    }
    for (int64_t i = 0; i < p->tokens * p->rows; i++) y[i] *= 0.5f;
    near("gemm_bf16", p->shape, y, p->expected, p->tokens * p->rows, 2e-2);
    free(x);
  }
  free(y);
  free(scratch);
}

static void products(const type *t) {
  const int64_t columns[] = {32, 64, 96, 320, 256, 512};
  const int64_t tokens[] = {1, 2, 3, 4, 7, 21}, rows[] = {5, 64, 81};
  for (int c = 0; c < 6; c++)
    for (int i = 0; i < 6; i++) {
      if (columns[c] % t->columns != 0) continue;
      int64_t r = rows[below(3)];
      product p = make(t, random_blocks(t, r, columns[c]), tokens[i], r, columns[c]);
      expect(&p);
      by_floats(&p);
      bool whole = kernels->takes_integers && kernels->takes_integers(t->id, columns[c]);
      if (whole) by_digit_products(&p, 2e-4);
      if (whole) by_bytes(&p, 3e-2);
      release(&p);
      if (!whole) continue;
      // Bytes: whole numbers up to 127, which every 32 of them reach, so that s is 1.
      p = make(t, whole_blocks(t, r, columns[c]), tokens[i], r, columns[c]);
      for (int64_t j = 0; j < p.tokens * p.columns; j++)
        p.x[j] = (float)(j % 32 == 5 ? (below(2) ? 127 : -127) : below(255) - 127);
      expect(&p);
      if (p.magnitude < 0x1p24) by_bytes(&p, 0);
      // Digits: one of 32,512 among each 32, small ones beside it.
      free(p.expected);
      p.magnitude = 0;
      for (int64_t j = 0; j < p.tokens * p.columns; j++)
        p.x[j] = (float)(j % 32 == 7 ? (below(2) ? 32512 : -32512) : below(7) - 3);
      expect(&p);
      if (p.magnitude < 0x1p24) by_digit_products(&p, 0);
      release(&p);
    }
}

static void blocks(const type *t) {
  int64_t columns = 512;
  float *floats = room((size_t)columns * 4), *a = room((size_t)columns * 4);
  float *b = room((size_t)columns * 4), *importance = room((size_t)columns * 4);
  uint8_t *first = room((size_t)columns * 4), *second = room((size_t)columns * 4);
  size_t bytes = (size_t)(columns / t->columns * t->bytes);
  for (int round = 0; round < 4; round++) {
    for (int64_t i = 0; i < columns; i++) floats[i] = noise(), importance[i] = fabsf(noise());
    const float *by = round % 2 ? importance : NULL;
    baseline->quantize(t->id, floats, by, columns, first);
    kernels->quantize(t->id, floats, by, columns, second);
    equal("quantize", t->name, second, first, bytes);
    baseline->dequantize(t->id, first, columns, a);
    kernels->dequantize(t->id, first, columns, b);
    equal("dequantize", t->name, b, a, (size_t)columns * 4);
  }
  free(floats), free(a), free(b), free(importance), free(first), free(second);
}

static void rows(int64_t count) {
  char shape[32];
  snprintf(shape, sizeof shape, "%d", (int)count);
  size_t bytes = (size_t)count * sizeof(float);
  float *x = room(bytes), *y = room(bytes), *a = room(bytes), *b = room(bytes);
  for (int64_t i = 0; i < count; i++) x[i] = 4 * noise(), y[i] = noise();
#define PAIR(CALL)                                                                                 \
  do {                                                                                             \
    const fk_kernels *k = baseline;                                                                \
    float *out = a;                                                                                \
    CALL;                                                                                          \
    k = kernels;                                                                                   \
    out = b;                                                                                       \
    CALL;                                                                                          \
  } while (0)
  PAIR(k->rms_norm(x, y, 1e-6f, count, out));
  near_f32("rms_norm", shape, b, a, count, 1e-6);
  PAIR(k->gelu_mul(x, y, count, out));
  near_f32("gelu_mul", shape, b, a, count, 1e-6);
  PAIR(k->silu_mul(x, y, count, out));
  near_f32("silu_mul", shape, b, a, count, 1e-6);
  PAIR((memcpy(out, x, bytes), k->add(out, y, count)));
  equal("add", shape, b, a, bytes);
  PAIR((memcpy(out, x, bytes), k->soft_cap(out, count, 3.0f)));
  near_f32("soft_cap", shape, b, a, count, 1e-6);
  PAIR((memcpy(out, x, bytes), k->rotate_half(out, y, y + count / 4, count / 2)));
  near_f32("rotate_half", shape, b, a, count, 1e-6);
  PAIR((memcpy(out, x, bytes), k->rotate_pairs(out, y, y + count / 4, count / 2)));
  near_f32("rotate_pairs", shape, b, a, count, 1e-6);
  PAIR(k->to_bf16(x, count, (uint16_t *)(void *)out));
  equal("to_bf16", shape, b, a, (size_t)count * 2);
  PAIR(out[0] = k->log_sum_exp(x, count));
  near_f32("log_sum_exp", shape, b, a, 1, 1e-6);
  PAIR(out[0] = (float)k->argmax(x, count));
  equal("argmax", shape, b, a, sizeof(float));
  free(x), free(y), free(a), free(b);
}

static void attention(uint32_t dtype, int32_t width, int64_t window, float cap) {
  enum { TOKENS = 9, FIRST = 130, HEADS = 4, SHARED = 2, SLOTS = 4 };
  char shape[80];
  snprintf(shape, sizeof shape, "%s cache, width %d, window %d, cap %g",
           dtype == FK_F32 ? "f32" : "f16", (int)width, (int)window, (double)cap);
  fk_kv kv = {.ring_blocks = SLOTS, .kv_heads = SHARED, .head_width = width,
              .value_width = (width + 15) / 16 * 16, .dtype = dtype};
  size_t slots = (size_t)SLOTS * SHARED * FK_KV_BLOCK * 4;
  size_t key_bytes = slots * (size_t)width, value_bytes = slots * (size_t)kv.value_width;
  int64_t all = FIRST + TOKENS;
  float *k = room((size_t)(all * SHARED * width) * 4), *v = room((size_t)(all * SHARED * width) * 4);
  float *q = room((size_t)(TOKENS * HEADS * width) * 4);
  float *y[2] = {room((size_t)(TOKENS * HEADS * width) * 4), room((size_t)(TOKENS * HEADS * width) * 4)};
  void *keys[2] = {room(key_bytes), room(key_bytes)};
  void *values[2] = {room(value_bytes), room(value_bytes)};
  for (int64_t i = 0; i < all * SHARED * width; i++) k[i] = noise(), v[i] = noise();
  for (int64_t i = 0; i < TOKENS * HEADS * width; i++) q[i] = noise();
  void *scratch = room(fk_attention_scratch(width));
  for (int which = 0; which < 2; which++) {
    const fk_kernels *set = which ? kernels : baseline;
    kv.keys = keys[which], kv.values = values[which];
    set->store_kv(&kv, k, v, 0, all);
    fk_attention a = {q, y[which], FIRST, window, HEADS, 0.3f, cap, 0};
    for (int32_t head = 0; head < SHARED; head++)
      set->attention(&a, &kv, (fk_tile){.end = TOKENS, .head = head, .parts = 1}, scratch);
  }
  near_f32("attention", shape, y[1], y[0], TOKENS * HEADS * width, 1e-5);
  equal("store_kv keys", shape, keys[1], keys[0], key_bytes);
  equal("store_kv values", shape, values[1], values[0], value_bytes);
  free(k), free(v), free(q), free(y[0]), free(y[1]), free(scratch);
  free(keys[0]), free(keys[1]), free(values[0]), free(values[1]);
}

#include "kernel_check_training.inc"

int main(int count, char **arguments) {
  uint64_t seed = 1;
  int is_wrong = 0, is_list = 0;
  for (int i = 1; i < count; i++) {
    if (!strcmp(arguments[i], "--spoil")) is_spoiled = 1;
    else if (!strcmp(arguments[i], "--list")) is_list = 1;
    else if (!strcmp(arguments[i], "--seed") && i + 1 < count) seed = strtoull(arguments[++i], NULL, 10);
    else return fprintf(stderr, "usage: kernel_check [--seed N] [--spoil | --list]\n"), 2;
  }
  baseline = fk_kernels_for(FK_ISA_BASELINE);
  for (int isa = 0; isa < FK_ISA_COUNT; isa++) {
    kernels = fk_kernels_for((enum fk_isa)isa);
    if (!kernels) continue;
    if (is_list) {
      puts(kernels->name);
      continue;
    }
    state = seed, comparisons = failures = 0;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
      blocks(&types[i]);
      products(&types[i]);
    }
    for (int64_t n = 4; n <= 256; n *= 4) rows(n);
    rows(36), rows(1000);
    for (int i = 0; i < 4; i++)
      attention(i % 2 ? FK_F32 : FK_F16, i < 2 ? 64 : 40, i < 2 ? 0 : 50, i == 1 ? 20.0f : 0.0f);
    training();
    printf("%-13s %d comparisons, %d failed (seed %llu)\n", kernels->name, comparisons, failures,
           (unsigned long long)seed);
    is_wrong |= failures > 0 || comparisons == 0;
    if (is_spoiled && failures != comparisons)
      printf("%s: %d comparisons cannot fail\n", kernels->name, comparisons - failures);
  }
  return is_wrong;
}
