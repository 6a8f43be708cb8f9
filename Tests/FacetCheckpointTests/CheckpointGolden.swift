// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTensor
import FacetTestSupport
import Foundation

/// What tools/checkpoint_goldens.py says about a model file beside it.
struct CheckpointGolden: Decodable {
  struct Tensor: Decodable {
    var name: String
    var file: String?
    var type: String
    var shape: [Int]
    var crc32: UInt32
    var multipliers: [Double]?
  }

  var metadata: [String: String]?
  var tensors: [Tensor]

  static func load(_ name: String) throws -> CheckpointGolden {
    let url = URL(fileURLWithPath: Goldens.path("checkpoints/\(name).json"))
    return try JSONDecoder().decode(CheckpointGolden.self, from: Data(contentsOf: url))
  }
}

extension Tensor {
  /// The bytes of the tensor as an array.
  var copy: [UInt8] { unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) } }
}

extension TensorData {
  /// The bytes as an array.
  var copy: [UInt8] {
    get throws {
      switch self {
      case .bytes(let bytes): bytes
      case .tensor(let tensor): tensor.copy
      case .parts(_, let count, let make): try (0..<count).flatMap { try make($0).copy }
      }
    }
  }
}

extension Checkpoint {
  /// The value of `key` in the list of metadata.
  func metadata(_ key: String) -> String? { metadata.first { $0.key == key }?.value }
}
