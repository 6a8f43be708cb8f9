// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Memory for the activations of a forward pass: handed out front to back, taken back all at once.
///
/// One owner at a time; a pass through a workspace that has grown to its size allocates nothing. It grows in
/// blocks, and the next pass gets one block for all of them, so passes of changing length leave no small
/// ones behind.
public final class Workspace {
  private var blocks: [TensorStorage] = []
  private var current = 0
  private var offset = 0
  /// Bytes handed out, and at most so since everything was taken back.
  private var used = 0
  private var mostUsed = 0

  /// An empty workspace; it grows with the first pass.
  public init() {}

  /// Bytes held.
  public var byteCount: Int { blocks.reduce(0) { $0 + $1.byteCount } }

  /// Where the workspace stands; see ``release(to:)``.
  package struct Mark {
    fileprivate var block: Int
    fileprivate var offset: Int
    fileprivate var used: Int
  }

  package var mark: Mark { Mark(block: current, offset: offset, used: used) }

  /// Takes back everything handed out since `mark`.
  package func release(to mark: Mark) {
    current = mark.block
    offset = mark.offset
    used = mark.used
  }

  /// Takes back everything.
  package func reset() {
    if blocks.count > 1 {
      blocks = []
    } else {
      mostUsed = 0
    }
    (current, offset, used) = (0, 0, 0)
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
      let joined = blocks.isEmpty ? mostUsed : 0
      blocks.append(try TensorStorage.allocate(byteCount: max(size, joined, Self.smallestBlock)))
    }
    let tensor = try Tensor(
      storage: blocks[current], byteOffset: offset, dtype: .f32, rows: rows, columns: columns)
    offset += (size + 63) / 64 * 64
    used += (size + 63) / 64 * 64
    mostUsed = max(mostUsed, used)
    return tensor
  }

  private static let smallestBlock = 1 << 20
}
