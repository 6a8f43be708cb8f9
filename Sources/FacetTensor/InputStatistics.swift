// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Synchronization

/// Sums of the squared inputs of matrices, column by column, over any number of passes.
///
/// A matrix is known by where its weights lie.
package final class InputStatistics: Sendable {
  /// What was summed for one matrix.
  package struct Entry: Sendable {
    /// Σ x² for each input feature; in double, so that a long text does not round away its end.
    package var sums: [Double]
    /// Inputs that were summed.
    package var count: Int
  }

  private struct Place: Hashable {
    var storage: ObjectIdentifier
    var offset: Int

    init(_ weights: Tensor) {
      storage = ObjectIdentifier(weights.storage)
      offset = weights.byteOffset
    }
  }

  private let entries = Mutex<[Place: Entry]>([:])

  /// Nothing summed yet.
  package init() {}

  /// The sums for the matrix `weights`; nil when it was never used.
  package func entry(for weights: Tensor) -> Entry? {
    entries.withLock { $0[Place(weights)] }
  }

  /// Adds the rows of `input` [T, in], which all of `weights` are applied to.
  func add(_ input: Tensor, to weights: [Tensor]) {
    guard input.rows > 0 else { return }
    var squares = [Double](repeating: 0, count: input.columns)
    input.withFloats { values in
      for row in 0..<input.rows {
        let start = row * input.columns
        for column in squares.indices {
          let value = Double(values[start + column])
          squares[column] += value * value
        }
      }
    }
    entries.withLock { entries in
      for matrix in weights {
        var entry =
          entries.removeValue(forKey: Place(matrix))
          ?? Entry(sums: [Double](repeating: 0, count: squares.count), count: 0)
        for column in squares.indices { entry.sums[column] += squares[column] }
        entry.count += input.rows
        entries[Place(matrix)] = entry
      }
    }
  }
}

/// A backend that notes what goes into every matrix and leaves the work to another.
package struct ObservingBackend: Backend {
  private let base: any Backend
  private let statistics: InputStatistics

  /// Watches `base`.
  package init(_ base: any Backend, _ statistics: InputStatistics) {
    self.base = base
    self.statistics = statistics
  }

  package var precision: Precision { base.precision }

  package func arithmetic(
    of weights: Tensor, _ role: MatrixRole, tokens: Int
  ) -> MatrixArithmetic { base.arithmetic(of: weights, role, tokens: tokens) }

  package func linear(
    _ input: Tensor, _ weights: [Tensor], as role: MatrixRole, into outputs: [Tensor]
  ) {
    statistics.add(input, to: weights)
    base.linear(input, weights, as: role, into: outputs)
  }

  package func gatedLinear(
    _ input: Tensor, gate: Tensor, up: Tensor, activation: Activation, into output: Tensor
  ) {
    statistics.add(input, to: [gate, up])
    base.gatedLinear(input, gate: gate, up: up, activation: activation, into: output)
  }

  package func embed(_ tokens: [Int32], table: Tensor, scale: Float, into output: Tensor) {
    base.embed(tokens, table: table, scale: scale, into: output)
  }

  package func rmsNorm(_ input: Tensor, weight: Tensor, epsilon: Float, into output: Tensor) {
    base.rmsNorm(input, weight: weight, epsilon: epsilon, into: output)
  }

  package func rotaryAngles(_ rotary: Rotary, positions: [Int], cosines: Tensor, sines: Tensor) {
    base.rotaryAngles(rotary, positions: positions, cosines: cosines, sines: sines)
  }

  package func rotate(
    _ heads: Tensor, headWidth: Int, norm: Tensor?, epsilon: Float,
    cosines: Tensor, sines: Tensor, layout: RotaryLayout
  ) {
    base.rotate(
      heads, headWidth: headWidth, norm: norm, epsilon: epsilon, cosines: cosines, sines: sines,
      layout: layout)
  }

  package func store(keys: Tensor, values: Tensor, first: Int, into cache: LayerCache) {
    base.store(keys: keys, values: values, first: first, into: cache)
  }

  package func attention(
    _ queries: Tensor, over spans: [AttentionSpan], settings: AttentionSettings,
    into output: Tensor
  ) {
    base.attention(queries, over: spans, settings: settings, into: output)
  }

  package func add(_ y: Tensor, to x: Tensor) { base.add(y, to: x) }

  package func softCap(_ x: Tensor, cap: Float) { base.softCap(x, cap: cap) }
}
