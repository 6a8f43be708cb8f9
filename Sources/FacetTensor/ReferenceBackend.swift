// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The operations as the papers write them: plain loops, sums in double, no threads.
///
/// Slow and readable: the twin that every kernel is checked against. It needs a cache in f32.
public struct ReferenceBackend: Sendable {
  /// Always exact.
  public var precision: Precision { .exact }

  /// Makes the backend; it holds nothing.
  public init() {}

  /// Weights [rows, columns] as f32.
  ///
  /// The block formats are defined in one place, the kernels, which are checked bit for bit against
  /// an independent implementation.
  package static func dequantized(_ weights: Tensor) -> [Float] {
    let columns = weights.columns
    var values = [Float](repeating: 0, count: weights.count)
    unsafe values.withUnsafeMutableBufferPointer { buffer in
      guard let to = buffer.baseAddress, let kernels = unsafe InstructionSet.baseline.kernels
      else { return }
      for row in 0..<weights.rows {
        unsafe kernels.pointee.dequantize(
          weights.dtype.rawValue, weights.pointer + row * weights.rowByteCount, Int64(columns),
          to + row * columns)
      }
    }
    return values
  }
}

extension ReferenceBackend: Backend {
  package func embed(_ tokens: [Int32], table: Tensor, scale: Float, into output: Tensor) {
    var values: [Float] = []
    for token in tokens {
      let row = Self.dequantized(table.rows(Int(token)..<Int(token) + 1))
      values += row.map { $0 * scale }
    }
    output.write(values)
  }

  package func rmsNorm(_ input: Tensor, weight: Tensor, epsilon: Float, into output: Tensor) {
    let weights = weight.floats()
    var x = input.floats()
    for row in 0..<input.rows {
      let range = row * input.columns..<(row + 1) * input.columns
      let squares = x[range].reduce(0.0) { $0 + Double($1) * Double($1) }
      let scale = 1 / (squares / Double(input.columns) + Double(epsilon)).squareRoot()
      for (index, at) in range.enumerated() {
        x[at] = Float(Double(x[at]) * scale * Double(weights[index]))
      }
    }
    output.write(x)
  }

  package func linear(
    _ input: Tensor, _ weights: [Tensor], as role: MatrixRole, into outputs: [Tensor]
  ) {
    for (matrix, output) in zip(weights, outputs) { output.write(product(input, matrix)) }
  }

  func product(_ input: Tensor, _ weights: Tensor) -> [Float] {
    let x = input.floats()
    let w = Self.dequantized(weights)
    let columns = input.columns
    var y: [Float] = []
    for t in 0..<input.rows {
      for r in 0..<weights.rows {
        var sum = 0.0
        for k in 0..<columns { sum += Double(x[t * columns + k]) * Double(w[r * columns + k]) }
        y.append(Float(sum))
      }
    }
    return y
  }

  package func gatedLinear(
    _ input: Tensor, gate: Tensor, up: Tensor, activation: Activation, into output: Tensor
  ) {
    let gates = product(input, gate)
    let ups = product(input, up)
    output.write(zip(gates, ups).map { Float(activation.exact(Double($0)) * Double($1)) })
  }

  package func rotaryAngles(_ rotary: Rotary, positions: [Int], cosines: Tensor, sines: Tensor) {
    let half = cosines.columns
    var angles: [Double] = []
    for position in positions {
      let scaled = Double(position) / Double(rotary.scale)
      for pair in 0..<half {
        let exponent = -2 * Double(pair) / Double(2 * half)
        angles.append(scaled * pow(Double(rotary.base), exponent))
      }
    }
    cosines.write(angles.map { Float(cos($0)) })
    sines.write(angles.map { Float(sin($0)) })
  }

  package func rotate(
    _ heads: Tensor, headWidth: Int, norm: Tensor?, epsilon: Float,
    cosines: Tensor, sines: Tensor, layout: RotaryLayout
  ) {
    if let norm {
      let perHead = heads.reshaped(columns: headWidth)
      rmsNorm(perHead, weight: norm, epsilon: epsilon, into: perHead)
    }
    let half = headWidth / 2
    let (c, s) = (cosines.floats(), sines.floats())
    var x = heads.floats()
    for row in 0..<heads.rows {
      for head in stride(from: row * heads.columns, to: (row + 1) * heads.columns, by: headWidth) {
        for pair in 0..<half {
          let (i, j) = layout == .halfSplit ? (pair, pair + half) : (2 * pair, 2 * pair + 1)
          let (a, b) = (x[head + i], x[head + j])
          let (cosine, sine) = (c[row * half + pair], s[row * half + pair])
          x[head + i] = a * cosine - b * sine
          x[head + j] = b * cosine + a * sine
        }
      }
    }
    heads.write(x)
  }

  package func store(keys: Tensor, values: Tensor, first: Int, into cache: LayerCache) {
    let (k, v) = (keys.floats(), values.floats())
    let width = cache.headWidth
    for t in 0..<keys.rows {
      for head in 0..<cache.headCount {
        for i in 0..<width {
          let from = (t * cache.headCount + head) * width + i
          cache.keys.withMutableFloats {
            $0[cache.keyIndex(position: first + t, head: head, element: i)] = k[from]
          }
          cache.values.withMutableFloats {
            $0[cache.valueIndex(position: first + t, head: head, element: i)] = v[from]
          }
        }
      }
    }
  }

  package func attention(
    _ queries: Tensor, over spans: [AttentionSpan], settings: AttentionSettings,
    into output: Tensor
  ) {
    let q = queries.floats()
    let width = settings.headWidth
    var mixed = [Float](repeating: 0, count: q.count)
    for span in spans {
      for row in span.rows {
        let position = span.first + row - span.rows.lowerBound
        for head in 0..<settings.queryHeads {
          let at = row * queries.columns + head * width
          let values = attend(
            Array(q[at..<at + width]), at: position, of: span.first + span.rows.count,
            head: head / (settings.queryHeads / span.cache.headCount), span.cache, settings)
          for i in 0..<width { mixed[at + i] = values[i] }
        }
      }
    }
    output.write(mixed)
  }

  /// softmax( cap(scale · q·K) ) · V over the keys that `position` sees.
  private func attend(
    _ query: [Float], at position: Int, of count: Int, head: Int, _ cache: LayerCache,
    _ settings: AttentionSettings
  ) -> [Float] {
    let first = settings.window.map { max(0, position - $0 + 1) } ?? 0
    let ahead = settings.window.map { min(count, position + $0) } ?? count
    let last = settings.mask == .causal ? position : ahead - 1
    let (k, v) = (cache.keys.floats(), cache.values.floats())
    let scores = (first...last).map { seen in
      var score = 0.0
      for i in query.indices {
        let key = k[cache.keyIndex(position: seen, head: head, element: i)]
        score += Double(query[i]) * Double(key)
      }
      score *= Double(settings.scale)
      return settings.softCap.map { Double($0) * tanh(score / Double($0)) } ?? score
    }
    let maximum = scores.max() ?? 0
    let exponentials = scores.map { exp($0 - maximum) }
    let sum = exponentials.reduce(0, +)
    return query.indices.map { i in
      var mixed = 0.0
      for (offset, weight) in exponentials.enumerated() {
        let value = v[cache.valueIndex(position: first + offset, head: head, element: i)]
        mixed += weight / sum * Double(value)
      }
      return Float(mixed)
    }
  }

  package func add(_ y: Tensor, to x: Tensor) { x.write(zip(x.floats(), y.floats()).map(+)) }

  package func softCap(_ x: Tensor, cap: Float) {
    x.write(x.floats().map { Float(Double(cap) * tanh(Double($0) / Double(cap))) })
  }
}

extension Activation {
  /// The function itself.
  ///
  /// GELU: Hendrycks & Gimpel 2016, tanh form; SiLU: z·σ(z).
  package func exact(_ z: Double) -> Double {
    switch self {
    case .geluTanh:
      0.5 * z * (1 + tanh((2 / Double.pi).squareRoot() * (z + 0.044715 * z * z * z)))
    case .silu: z / (1 + exp(-z))
    }
  }
}
