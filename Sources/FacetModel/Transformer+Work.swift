// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetTensor

extension Transformer {
  /// What a pass reads and computes at least: the least that a machine has to do for it.
  package struct Work: Sendable, Hashable {
    /// Bytes of weights, keys and values that are read once.
    package var byteCount = 0.0
    /// Multiplications and additions in each kind of arithmetic.
    package var operations: [MatrixArithmetic: Double] = [:]

    /// The seconds that it takes at `ceilings` when nothing else costs anything: the longer of
    /// reading and computing.
    package func seconds(at ceilings: MachineCeilings) -> Double {
      let computing = operations.reduce(0.0) { sum, entry in
        sum + entry.value / ceilings.operationsPerSecond(entry.key)
      }
      return max(byteCount / ceilings.readBytesPerSecond, computing)
    }
  }

  /// The work of a pass of `tokens` tokens of each of `sequences` sequences that hold `depth` tokens
  /// already, with the logits of each one's last.
  package func work(tokens: Int, sequences: Int = 1, depth: Int) -> Work {
    var work = Work()
    let rows = tokens * sequences
    func multiply(_ matrix: Tensor, _ role: MatrixRole, rows: Int) {
      work.byteCount += Double(matrix.byteCount)
      let kind = backend.arithmetic(of: matrix, role, tokens: rows)
      work.operations[kind, default: 0] += 2 * Double(matrix.count) * Double(rows)
    }
    for (index, layer) in weights.layers.enumerated() {
      for matrix in [layer.query, layer.key, layer.value] {
        multiply(matrix, .attention, rows: rows)
      }
      multiply(layer.attentionOutput, .attentionOutput, rows: rows)
      // Beyond its keys and values the last layer is asked about the rows that meet the head.
      let isLast = index == weights.layers.count - 1
      for matrix in [layer.gate, layer.up, layer.down] {
        multiply(matrix, .feedForward, rows: isLast ? sequences : rows)
      }
      let window = configuration.window(layer: index) ?? .max
      let seen = (0..<tokens).reduce(0) { $0 + min(window, depth + $1 + 1) }
      work.operations[.f32, default: 0] +=
        4 * Double(configuration.queryWidth) * Double(seen) * Double(sequences)
      let held = Double(min(depth, window) * sequences)
      work.byteCount +=
        held * Double(2 * configuration.keyValueWidth * cacheDType.blockByteCount)
    }
    multiply(weights.head, .head, rows: sequences)
    return work
  }
}

extension MachineCeilings {
  /// Operations in a second, in the arithmetic that stands in where the CPU lacks `kind`.
  package func operationsPerSecond(_ kind: MatrixArithmetic) -> Double {
    switch kind {
    case .f32: f32OperationsPerSecond
    case .bf16: bf16OperationsPerSecond ?? f32OperationsPerSecond
    case .int8: int8OperationsPerSecond ?? f32OperationsPerSecond
    }
  }
}
