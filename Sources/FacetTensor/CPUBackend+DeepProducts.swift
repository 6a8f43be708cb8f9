// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels

// Products that are deep and small, such as the way back through the head: a quarter of a million rows
// of weights for a hundred tokens. There packing is a good part of the work, and what one core has packed
// another should not have to fetch. So the depth is cut into parts, each with a sum of its own, and the
// sums are added in order; where it is cut depends on the shapes alone.
extension CPUBackend {
  private static let deepest = 8192
  private static let leastPartDepth = 2048
  private static let mostParts = 32
  private static let partSumsByteCount = 16 << 20

  /// In how many parts a product is worth computing, or nil where it is not deep.
  func deepParts(_ product: PackedProduct) -> Int? {
    guard product.depth >= Self.deepest, product.c.dtype == .f32 else { return nil }
    let sumByteCount = product.rows * product.columns * MemoryLayout<Float>.size
    let parts = min(
      Self.mostParts, product.depth / Self.leastPartDepth, Self.partSumsByteCount / sumByteCount)
    return parts >= 4 ? parts : nil
  }

  func multiplyDeep(_ product: PackedProduct, parts: Int, form: PackedForm) {
    let (block, depth) = (PackedStretch.block, product.depth)
    let count = product.rows * product.columns
    let partDepth = ((depth + block - 1) / block + parts - 1) / parts * block
    func stretch(_ begin: Int) -> PackedStretch {
      PackedStretch(
        rows: 0..<product.rows, depth: begin..<min(depth, begin + block),
        columns: product.columns, form: form)
    }
    pool.exclusively { turn in
      scratch.reserve(perWorker: stretch(0).byteCount)
      scratch.reserve(shared: parts * count * MemoryLayout<Float>.size)
      let sums = unsafe scratch.shared.assumingMemoryBound(to: Float.self)
      turn.run(chunks: parts) { part, worker in
        let sum = unsafe sums + part * count
        unsafe sum.update(repeating: 0, count: count)
        for begin in stride(
          from: part * partDepth, to: min(depth, (part + 1) * partDepth), by: block)
        {
          unsafe addBlock(product, stretch(begin), scratch.part(worker), sum)
        }
      }
      unsafe join(product, sums, parts, turn)
    }
  }

  /// sum [M, N] += one block of the depth, packed on the spot.
  private func addBlock(
    _ product: PackedProduct, _ stretch: PackedStretch, _ packed: UnsafeMutableRawPointer,
    _ sum: UnsafeMutablePointer<Float>
  ) {
    let width = 4 * PackedStretch.panel
    for column in stride(from: 0, to: stretch.columns, by: width) {
      let columns = column..<min(stretch.columns, column + width)
      unsafe packPanels(product.b, stretch, 0, columns, packed)
    }
    unsafe packRows(product, stretch, 0, stretch.rows, packed)
    for panel in 0..<stretch.panels {
      unsafe multiplyPanel(
        panel, stretch.rows, stretch, packed, sum + panel * PackedStretch.panel,
        stride: stretch.columns)
    }
  }

  private func join(
    _ product: PackedProduct, _ sums: UnsafeMutablePointer<Float>, _ parts: Int,
    _ turn: WorkerPool.Turn
  ) {
    let (count, size) = (product.c.count, 4096)
    turn.run(chunks: (count + size - 1) / size) { chunk, _ in
      let begin = chunk * size
      let numbers = min(count - begin, size)
      let to = unsafe product.c.floatPointer + begin
      if !product.adding { unsafe to.update(repeating: 0, count: numbers) }
      for part in 0..<parts {
        unsafe kernels.pointee.add(to, sums + part * count + begin, Int64(numbers))
      }
    }
  }
}
