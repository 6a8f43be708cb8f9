// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Memory for the activations of a forward pass: handed out front to back, taken back all at once.
///
/// One owner at a time; a pass through a workspace that has grown to its size allocates nothing.
public final class Workspace {
  private var blocks: [TensorStorage] = []
  private var current = 0
  private var offset = 0

  /// An empty workspace; it grows with the first pass.
  public init() {}

  /// Bytes held.
  public var byteCount: Int { blocks.reduce(0) { $0 + $1.byteCount } }

  /// Where the workspace stands; see ``release(to:)``.
  package struct Mark {
    fileprivate var block: Int
    fileprivate var offset: Int
  }

  package var mark: Mark { Mark(block: current, offset: offset) }

  /// Takes back everything handed out since `mark`.
  package func release(to mark: Mark) {
    current = mark.block
    offset = mark.offset
  }

  /// Takes back everything.
  package func reset() {
    current = 0
    offset = 0
  }

  /// An f32 tensor of unspecified values.
  package func tensor(rows: Int, columns: Int) throws(TensorError) -> Tensor {
    guard let size = DType.f32.byteCount(rows: rows, columns: columns) else {
      throw TensorError(.outOfMemory, "Activations of \(rows) × \(columns) cannot be laid out.")
    }
    while current < blocks.count, blocks[current].byteCount - offset < size {
      current += 1
      offset = 0
    }
    if current == blocks.count {
      blocks.append(try TensorStorage.allocate(byteCount: max(size, Self.smallestBlock)))
    }
    let tensor = try Tensor(
      storage: blocks[current], byteOffset: offset, dtype: .f32, rows: rows, columns: columns)
    offset += (size + 63) / 64 * 64
    return tensor
  }

  private static let smallestBlock = 1 << 20
}
