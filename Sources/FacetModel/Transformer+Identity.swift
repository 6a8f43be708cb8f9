// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTensor

extension Transformer {
  /// A number that tells this model from others: over its configuration, and the shape, type and three
  /// samples of every tensor.
  ///
  /// Reading all bytes would take seconds on a large model; a fine-tune or another quantisation changes
  /// nearly every tensor everywhere.
  package var identity: UInt64 {
    var sum = Checksum()
    sum.add("\(configuration)")
    for tensor in weights.tensors {
      for number in [tensor.rows, tensor.columns, Int(tensor.dtype.rawValue)] {
        sum.add(UInt64(number))
      }
      let size = min(Self.sampleByteCount, tensor.byteCount)
      for start in [0, (tensor.byteCount - size) / 2, tensor.byteCount - size] {
        sum.add(tensor.bytes.extracting(start..<start + size))
      }
    }
    return sum.value
  }

  private static var sampleByteCount: Int { 1024 }
}

extension ModelWeights {
  /// All tensors, in a fixed order.
  fileprivate var tensors: [Tensor] {
    [embedding, head] + named.filter { ![.embedding, .head].contains($0.name.role) }.map(\.tensor)
  }
}
