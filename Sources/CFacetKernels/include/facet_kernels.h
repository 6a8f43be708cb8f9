// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.
//
// The contract of the arithmetic under FacetTensor. Every function is pure: it reads its inputs,
// writes its outputs, allocates nothing, keeps nothing, starts no thread and does no I/O. Shapes and
// bounds are the caller's promise (FacetTensor checks them once); nothing here checks again.
//
// Unless a block says otherwise: outputs do not overlap inputs, pointers need only their element's
// alignment, counts may be zero. Letters: T tokens, D width, H head width, N query heads,
// K key-value heads, G = N/K, V vocabulary rows.

#ifndef FACET_KERNELS_H
#define FACET_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// How weights are stored; the values are GGUF's type ids.
enum fk_dtype {
  FK_F32 = 0,
  FK_F16 = 1,
  FK_Q4_0 = 2,
  FK_Q4_1 = 3,
  FK_Q5_0 = 6,
  FK_Q5_1 = 7,
  FK_Q8_0 = 8,
  FK_Q2_K = 10,
  FK_Q3_K = 11,
  FK_Q4_K = 12,
  FK_Q5_K = 13,
  FK_Q6_K = 14,
  FK_BF16 = 30
};

enum {
  // Output features that one call of gemm_* computes at most.
  FK_PANEL_ROWS = 64,
  // Bytes of scratch a gemm_* call needs, 64-byte aligned.
  FK_GEMM_SCRATCH = 64 * 256 * 4 + 16 * 256 * 4 + 64,
  // Most tokens that matvec takes, and matvec_digits; more belong to gemm_*.
  FK_MATVEC_TOKENS = 8,
  FK_DIGIT_TOKENS = 4,
  // Bytes of 64-byte aligned scratch that gemm_digits needs.
  FK_WORD_SCRATCH = (32 * (128 + 16 + 16) + 32 * 16) * 4,
  // Rows of B that a panel of the packed products holds at most.
  FK_K_BLOCK = 256,
  // Numbers along K that share a scale where those products are in 16-bit words.
  FK_SHARING = 64,
  // Positions in one block of the KV cache.
  FK_KV_BLOCK = 64,
  // Columns of values that lie together in such a block.
  FK_KV_STRIP = 64,
  // Numbers whose 8-bit moments share their factors.
  FK_MOMENT_BLOCK = 256,
  // Most query rows (tokens × G) of one attention call.
  FK_ATTENTION_ROWS = 128
};

// Weights [rows, columns]: row r starts at data + r * row_bytes and holds whole blocks.
typedef struct fk_matrix {
  const void *data;
  int64_t row_bytes;
  int64_t columns;
  uint32_t dtype;
} fk_matrix;

// One layer's keys and values of one sequence. Positions come in blocks of FK_KV_BLOCK; block b of
// positions lies in ring slot b mod ring_blocks. In each slot, for each of K heads:
//   keys   [H][FK_KV_BLOCK]            a column per position, so that scores need no reduction
//   values [FK_KV_BLOCK][value_width]  value_width = H rounded up to 16, the padding stays zero; in
//                                      strips of FK_KV_STRIP columns, one after the other
// Elements are f32, f16 or bf16. In Q8_0 and Q4_0 they are q and d of those types per 32 elements of a
// position, H rounded up to 32 in both and padded with zeros: first all q (keys [H][FK_KV_BLOCK] bytes,
// values [FK_KV_BLOCK][H], without strips; in nibbles half of that, elements j and j + 16 of a group in
// one byte), then all d as f16.
typedef struct fk_kv {
  void *keys;
  void *values;
  int64_t ring_blocks;
  int32_t kv_heads;
  int32_t head_width;
  int32_t value_width;
  uint32_t dtype;
} fk_kv;

// Attention of T consecutive tokens of one sequence over its cache.
typedef struct fk_attention {
  const float *queries; // [T][N][H], rotated, not scaled
  float *output;        // [T][N][H]
  int64_t first;        // position of the first of the T tokens
  int64_t window;       // keys a query sees, itself included; 0: all
  int32_t heads;        // N
  float scale;          // multiplies every score
  float soft_cap;       // c·tanh(s/c) after scaling and before masking; 0: none
  // Positions that hold keys, where a query also sees those after its own: all, or as many as the window
  // has before it. 0: only keys up to its own.
  int64_t end;
} fk_attention;

// A piece of attention's work: tokens [begin, end) of the T and one key-value head, over part `part` of
// `parts`. Parts are `part_blocks` blocks each, counted from position 0; part 0 holds the first block that
// these tokens see. (end - begin)·G ≤ FK_ATTENTION_ROWS.
typedef struct fk_tile {
  int64_t begin, end, head, part, parts, part_blocks;
  // NULL when there is one part. Else, for the R rows (token, query head), this part's weighted
  // values [R][value_width], maxima [R] and sums of exponentials [R].
  float *partial;
} fk_tile;

// The way back through attention of one sequence and one query head. Row t of each of the first four is
// at + t · stride.
typedef struct fk_attention_back {
  const float *queries, *output, *output_gradient;
  float *query_gradient;
  int64_t stride;
  const void *packed;                   // pack_heads of this head's keys and values, block by block
  float *key_gradient, *value_gradient; // [tokens][H rounded up to 16], added to
  int64_t tokens;                       // of the sequence
  int64_t window;                       // keys a query sees, itself included; 0: all
  int32_t head_width;
  float scale, soft_cap; // as in fk_attention
} fk_attention_back;

// A row of scores z: its largest, Σ e and Σ e·(z − largest), where e = exp(z − largest).
typedef struct fk_softmax {
  float maximum;
  double sum, products;
} fk_softmax;

// One step of AdamW: m = β₁m + (1 − β₁)g, v = β₂v + (1 − β₂)g²,
// p = keep·p − step·m / (root_scale·√v + ε), where g = gradient_scale·gradient.
typedef struct fk_adamw {
  float first_decay, second_decay; // β₁, β₂
  float keep;                      // 1 − learning rate · weight decay
  float step;                      // learning rate / (1 − β₁ᵗ)
  float root_scale;                // 1 / √(1 − β₂ᵗ)
  float epsilon;
  float gradient_scale;
} fk_adamw;

// Moments of AdamW in 8 bits. Both arrays of codes hold whole blocks of FK_MOMENT_BLOCK, whatever the count;
// units has for each block the factor of its first moments and that of its second. A code c stands for
// unit·(1 + c%16/16)·2^(c/16 − E), or unit·c·2^(−3 − E) below 16: E is 7 for first moments, whose eighth
// bit is the sign, and 15 for second ones. The unit is 16/31 of the largest magnitude of the block.
typedef struct fk_moment_bytes {
  uint8_t *first, *second;
  float *units;
} fk_moment_bytes;

// A step of a rule with one moment m, where g = gradient_scale·gradient.
typedef struct fk_momentum {
  float first_decay, second_decay;
  float learning_rate, weight_decay, gradient_scale;
} fk_momentum;

// p = keep·p − step·u, where u = gradient_scale·gradient / √max(variance_scale·variance, least).
typedef struct fk_root_step {
  float variance_scale, least, gradient_scale, keep, step;
} fk_root_step;

typedef struct fk_kernels {
  const char *name;

  // out[i] = weight i of the row, as the block format defines it (docs/numerics.md). Exact: equal
  // to the format's definition evaluated in f32. `count` is a whole number of blocks.
  void (*dequantize)(uint32_t dtype, const void *row, int64_t count, float *out);

  // A row of x in the given type: what dequantize reads. `importance`, NULL or one number ≥ 0 per
  // column, says how much an error of that column counts. Equal bits on every instruction set. False,
  // with `out` undefined, when a value is no finite number or a scale is beyond half precision.
  bool (*quantize)(uint32_t dtype, const float *x, const float *importance, int64_t count,
                   void *out);

  // y[t*ldy + r] = Σ_k w[r][k]·x[t*ldx + k] for r in [begin, end), t in [0, tokens ≤ 8): products
  // and sums in f32. For decode: reads the weights once, in their own bits.
  void (*matvec)(const fk_matrix *w, int64_t begin, int64_t end, const float *x, int64_t ldx,
                 int32_t tokens, float *y, int64_t ldy);

  // As matvec for T ≤ 4 with x in digits (to_digits), T rows of fk_digit_bytes: products and block
  // sums in integers, exact; x is rounded to 16 bits per block of 32 before. For the types and
  // widths that takes_integers names; all five NULL where the CPU has no integer dot product.
  void (*matvec_digits)(const fk_matrix *w, int64_t begin, int64_t end, const void *x,
                        int32_t tokens, float *y, int64_t ldy);
  void (*to_digits)(const float *x, int64_t count, void *out);
  // The same for any T: weights are packed 32 rows at a time in `scratch` (FK_WORD_SCRATCH bytes).
  // Blocks are summed in another order, so bits differ. NULL where gemm_bytes is as fast from T = 5 on and
  // there is gemm_bf16 for what must be exact.
  void (*gemm_digits)(const fk_matrix *w, int64_t begin, int64_t end, const void *x, int64_t tokens,
                      float *y, int64_t ldy, void *scratch);
  bool (*takes_integers)(uint32_t dtype, int64_t columns);

  // As gemm_f32 for tokens [first, first + tokens) of the `all` that to_bytes wrote into x: rounded
  // to 8 bits per block of 32; products and block sums in integers, exact; blocks summed in f32.
  void (*gemm_bytes)(const fk_matrix *w, int64_t begin, int64_t end, const void *x, int64_t first,
                     int64_t tokens, int64_t all, float *y, int64_t ldy, void *scratch);
  // Writes one token's row among `tokens` of them; in all they take tokens · fk_byte_bytes.
  void (*to_bytes)(const float *x, int64_t columns, int64_t token, int64_t tokens, void *out);

  // As matvec for any number of tokens and end - begin ≤ FK_PANEL_ROWS; weights are expanded once
  // into a panel in `scratch` (FK_GEMM_SCRATCH bytes). y[t*ldy + (r - begin)], added to where `adding`.
  void (*gemm_f32)(const fk_matrix *w, int64_t begin, int64_t end, const float *x, int64_t ldx,
                   int64_t tokens, float *y, int64_t ldy, bool adding, void *scratch);

  // As gemm_f32 with x in bf16 (ldx even, rows zero-padded to a multiple of 32) and weights rounded
  // to bf16; products exact, sums in f32. NULL where the CPU has no bf16 dot product.
  void (*gemm_bf16)(const fk_matrix *w, int64_t begin, int64_t end, const uint16_t *x, int64_t ldx,
                    int64_t tokens, float *y, int64_t ldy, bool adding, void *scratch);

  // Rounds to nearest even.
  void (*to_bf16)(const float *x, int64_t count, uint16_t *out);

  // y = x / sqrt(mean(x²) + epsilon) · weight; y may equal x.
  void (*rms_norm)(const float *x, const float *weight, float epsilon, int64_t count, float *y);

  // out = gelu_tanh(gate)·up, or silu(gate)·up; out may equal gate or up. Error ≤ 4 ulp of the
  // exact function.
  void (*gelu_mul)(const float *gate, const float *up, int64_t count, float *out);
  void (*silu_mul)(const float *gate, const float *up, int64_t count, float *out);

  // x += y.
  void (*add)(float *x, const float *y, int64_t count);
  // x = cap·tanh(x/cap).
  void (*soft_cap)(float *x, int64_t count, float cap);

  // Rotates pairs of one head: (x[i], x[i+half]) for half-split, (x[2i], x[2i+1]) for interleaved.
  void (*rotate_half)(float *x, const float *cosines, const float *sines, int64_t half);
  void (*rotate_pairs)(float *x, const float *cosines, const float *sines, int64_t half);

  // Writes keys and values [T][K][H] of positions first … first+T-1 into the cache.
  void (*store_kv)(const fk_kv *kv, const float *keys, const float *values, int64_t first,
                   int64_t tokens);

  // One tile of attention, to `output` or to its partial result: online softmax over blocks,
  // products and sums in f32. `scratch`: fk_attention_scratch(head_width) bytes, 64-byte aligned.
  void (*attention)(const fk_attention *a, const fk_kv *kv, fk_tile tile, void *scratch);
  // The same with queries, keys, exponentials and values rounded to bf16; sums in f32. NULL where the
  // CPU has no bf16 dot product.
  void (*attention_bf16)(const fk_attention *a, const fk_kv *kv, fk_tile tile, void *scratch);
  // Joins the partial results of all parts, which lie one after the other from `partial` on, in
  // their order.
  void (*attention_join)(const fk_attention *a, const fk_kv *kv, fk_tile tile);

  // log Σ exp(x), computed against the maximum; count ≥ 1.
  float (*log_sum_exp)(const float *x, int64_t count);
  // Index of the largest value, the first of equals; NaN never wins. count ≥ 1.
  int64_t (*argmax)(const float *x, int64_t count);

  // Training. Products C [M, N] += A [M, k] · B [k, N] over factors that were packed, k ≤ FK_K_BLOCK.
  // pack_*: rows [first, first + k) and columns [begin, end) of w, where begin is a multiple of 256 and
  // end − begin ≤ 256, into panels of 64 columns, each `stride` bytes after the one before; a panel
  // takes k·64 numbers, k rounded up to even in bf16. transpose_*: out[m*ldo + i] = scale·a[i*lda + m]
  // for m < rows, i < k; ldo a multiple of 32, room for k rounded up to that, filled with zeros.
  // gemm_packed_*: c[m*ldc + n] += Σ_i a[m*lda + i] · panel[i][n] for m < rows, n < columns ≤ 64; in
  // bf16 lda is even and an odd row of `a` ends in a zero. All bf16 are NULL where the CPU has no bf16
  // dot product.
  // In words, 16-bit integers, FK_SHARING numbers along K share a scale: a panel has FK_K_BLOCK/FK_SHARING·64
  // floats before its numbers, a row of `a` FK_K_BLOCK/FK_SHARING floats, and k is rounded up to a multiple of
  // FK_SHARING with zeros; row_to_words writes such a row. NULL where there is bf16, or nothing is won.
  void (*pack_f32)(const fk_matrix *w, int64_t first, int64_t k, int64_t begin, int64_t end,
                   void *out, int64_t stride);
  void (*pack_bf16)(const fk_matrix *w, int64_t first, int64_t k, int64_t begin, int64_t end,
                    void *out, int64_t stride);
  void (*transpose_f32)(const float *a, int64_t lda, int64_t rows, int64_t k, float scale,
                        void *out, int64_t ldo);
  void (*transpose_bf16)(const float *a, int64_t lda, int64_t rows, int64_t k, float scale,
                         void *out, int64_t ldo);
  void (*pack_words)(const fk_matrix *w, int64_t first, int64_t k, int64_t begin, int64_t end,
                     void *out, int64_t stride);
  void (*transpose_words)(const float *a, int64_t lda, int64_t rows, int64_t k, float scale,
                          void *out, int64_t ldo);
  void (*row_to_words)(const float *x, int64_t k, void *out);
  void (*gemm_packed_words)(int64_t rows, int64_t columns, int64_t k, const void *a, int64_t lda,
                            const void *panel, float *c, int64_t ldc);
  void (*gemm_packed_f32)(int64_t rows, int64_t columns, int64_t k, const void *a, int64_t lda,
                          const void *panel, float *c, int64_t ldc);
  void (*gemm_packed_bf16)(int64_t rows, int64_t columns, int64_t k, const void *a, int64_t lda,
                           const void *panel, float *c, int64_t ldc);

  // The keys and values of up to FK_KV_BLOCK tokens of one head, for attention_backward_*: rows `stride`
  // apart. Takes fk_packed_heads numbers of that form.
  void (*pack_heads_f32)(const float *keys, const float *values, int64_t stride, int64_t tokens,
                         int64_t head_width, void *out);
  void (*pack_heads_bf16)(const float *keys, const float *values, int64_t stride, int64_t tokens,
                          int64_t head_width, void *out);
  // Back through attention of the queries [begin, end), at most FK_KV_BLOCK of them from a multiple of
  // it on. `scratch`: fk_attention_back_scratch bytes, 64-byte aligned.
  void (*attention_backward_f32)(const fk_attention_back *a, int64_t begin, int64_t end,
                                 void *scratch);
  void (*attention_backward_bf16)(const fk_attention_back *a, int64_t begin, int64_t end,
                                  void *scratch);

  // Back through rms_norm: dx (+)=, dx may equal dy; dw, unless it is NULL, is added to.
  void (*rms_norm_backward)(const float *dy, const float *x, const float *weight, float epsilon,
                            int64_t count, bool adding, float *dx, float *dw);
  // Back through gelu_mul and silu_mul: gate and up become their gradients.
  void (*gelu_mul_backward)(const float *dy, float *gate, float *up, int64_t count);
  void (*silu_mul_backward)(const float *dy, float *gate, float *up, int64_t count);
  // count ≥ 1.
  fk_softmax (*softmax_sums)(const float *z, int64_t count);
  // z = factor·exp(z − maximum)·(1 − (z/soft_cap)²); soft_cap 0: without the last factor.
  void (*softmax_gradient)(float *z, int64_t count, float maximum, float factor, float soft_cap);
  // x += scale·y.
  void (*add_scaled)(float *x, const float *y, float scale, int64_t count);
  // sums += x, rounded to bf16 again.
  void (*add_to_bf16)(const float *x, int64_t count, uint16_t *sums);
  // x = factor·x.
  void (*scale)(float *x, float factor, int64_t count);
  // out = x·y; out may equal either.
  void (*multiply)(const float *x, const float *y, int64_t count, float *out);
  // sums += x·y.
  void (*add_products)(float *sums, const float *x, const float *y, int64_t count);
  // out = x / (1 − rate), or 0 where the top 24 bits of SplitMix64's mix of the seed and the place
  // first + i, as a fraction, lie below the rate. Equal bits on every instruction set.
  void (*dropout)(const float *x, int64_t first, int64_t count, float rate, uint64_t seed,
                  float *out);
  // Σ x², each square and the sum in double.
  double (*sum_squares)(const float *x, int64_t count);
  void (*adamw)(const fk_adamw *a, float *p, float *m, float *v, const float *g, int64_t count);
  // The same step, after which the moments are rounded: to the nearest code, a second moment that is not
  // zero to no less than the smallest.
  void (*adamw_bytes)(const fk_adamw *a, float *p, const fk_moment_bytes *moments, const float *g,
                      int64_t count);
  // m = first_decay·m + g + weight_decay·p, p −= learning_rate·m.
  void (*sgd)(const fk_momentum *a, float *p, float *m, const float *g, int64_t count);
  // p −= learning_rate·(sign(β₁m + (1 − β₁)g) + weight_decay·p), m = β₂m + (1 − β₂)g, where β₁ and β₂ are
  // first_decay and second_decay.
  void (*lion)(const fk_momentum *a, float *p, float *m, const float *g, int64_t count);
  // Takes the step and gives 0; without p, gives Σ u², each square and the sum in double.
  double (*root_step)(const fk_root_step *a, float *p, const float *g, const float *variances,
                      int64_t count);

  // What the machine can do at most, for benchmarks. Reads `bytes`, a multiple of 512, and gives back a
  // sum of them.
  uint32_t (*read_all)(const void *data, int64_t bytes);
  // Multiply-adds as the gemm of that name issues them, on registers alone; `x` holds 32 numbers, of
  // which 16 results go to `out`. Gives back the operations, two a multiply-add. The last two are NULL
  // where the CPU lacks the instruction.
  int64_t (*peak_f32)(int64_t rounds, const float *x, float *out);
  int64_t (*peak_bf16)(int64_t rounds, const float *x, float *out);
  int64_t (*peak_bytes)(int64_t rounds, const float *x, float *out);
} fk_kernels;

// Bytes of a row of activations written in digits, and in bytes; columns a multiple of 32.
static inline int64_t fk_digit_bytes(int64_t columns) { return columns / 4 * 11; }
static inline int64_t fk_byte_bytes(int64_t columns) { return columns / 8 * 15; }

// Bytes of scratch that one attention call needs.
static inline size_t fk_attention_scratch(int32_t head_width) {
  size_t width = ((size_t)head_width + 31) / 32 * 32, strip = 32 * (width > 64 ? width : 64);
  size_t rows = FK_ATTENTION_ROWS, block = FK_KV_BLOCK;
  return (rows * (2 * width + block + 2) + 2 * width * block + strip + rows * block / 2) * 4 + 256;
}

// Numbers that pack_heads writes for a block of one head.
static inline int64_t fk_packed_heads(int64_t head_width) {
  return 3 * FK_KV_BLOCK * ((head_width + FK_PANEL_ROWS - 1) / FK_PANEL_ROWS * FK_PANEL_ROWS);
}

// Bytes of scratch that one attention_backward call needs.
static inline size_t fk_attention_back_scratch(int64_t head_width, int64_t tokens, int64_t window) {
  int64_t wide = (head_width + FK_PANEL_ROWS - 1) / FK_PANEL_ROWS * FK_PANEL_ROWS;
  int64_t seen = window > 0 && window < tokens ? window : tokens;
  int64_t columns = 5 * wide + 5 * FK_KV_BLOCK + 3 + seen + FK_KV_BLOCK;
  return (size_t)(columns * FK_KV_BLOCK) * 4 + 64;
}

// Tells the core that this is a spinning wait.
static inline void fk_relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

enum fk_isa {
  FK_ISA_BASELINE = 0,
  FK_ISA_AVX2 = 1,
  FK_ISA_AVX512 = 2,
  FK_ISA_NEON = 3,
  FK_ISA_NEON_DOT = 4,
  FK_ISA_NEON_I8MM = 5,
  FK_ISA_COUNT = 6
};

// The kernels of one instruction set, or NULL when this CPU or build lacks it.
const fk_kernels *fk_kernels_for(enum fk_isa isa);
// The best instruction set of this CPU.
enum fk_isa fk_best_isa(void);

#endif
