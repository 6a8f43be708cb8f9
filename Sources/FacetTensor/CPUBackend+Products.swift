// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels

/// c [M, N] += a [M, K] · b [K, N], where `a` may be stored as [K, M].
///
/// The factors of the way back lie across the order in which a register tile wants them, so a stretch
/// of both is packed first, in 16 bits unless the backend is exact; then the tiles are shared out. Each
/// element of c is summed in the order of K, so neither stretches nor threads change a bit.
struct PackedProduct {
  var a: Tensor
  /// Whether `a` is stored as [K, M].
  var isTransposed = false
  /// Multiplies `a`, which must then be transposed.
  var scale: Float = 1
  /// Of any type.
  var b: Tensor
  /// f32; or bf16, to which sums of whole stretches are added, and rounded.
  var c: Tensor
  /// Whether c is added to.
  var adding: Bool

  var rows: Int { isTransposed ? a.columns : a.rows }
  var depth: Int { b.rows }
  var columns: Int { b.columns }
}

/// What the numbers of packed factors are.
enum PackedForm {
  case f32
  case bf16
  /// Integers of 16 bits, of which a few along K share a scale that lies before them.
  case words

  /// Bytes of a number.
  var size: Int { self == .f32 ? 4 : 2 }
  /// Scales of a column, or of a row, of a block.
  var scales: Int { self == .words ? PackedStretch.block / Int(FK_SHARING) : 0 }
}

/// A stretch of a product, [rows] by [depth], and how it lies packed in the shared scratch.
///
/// First come the panels of b: for 64 columns one block of 256 of K after the other. Then the rows of
/// a: for each block of K all rows.
struct PackedStretch {
  var rows: Range<Int>
  var depth: Range<Int>
  var columns: Int
  var form: PackedForm

  static let block = Int(FK_K_BLOCK)
  static let panel = Int(FK_PANEL_ROWS)

  var blocks: Int { (depth.count + Self.block - 1) / Self.block }
  var panels: Int { (columns + Self.panel - 1) / Self.panel }
  /// Bytes of a panel's block, its scales included.
  var blockByteCount: Int { Self.panel * (Self.block * form.size + form.scales * 4) }
  var panelByteCount: Int { blocks * blockByteCount }
  /// Numbers from a row of a to the next, its scales included.
  var rowStride: Int {
    let multiple = form == .words ? Int(FK_SHARING) : 32
    return min(Self.block, (depth.count + multiple - 1) / multiple * multiple)
      + form.scales * 4 / form.size
  }
  var rowsOffset: Int { panels * panelByteCount }
  var byteCount: Int { rowsOffset + blocks * rows.count * rowStride * form.size }

  /// Whether so few panels meet a row of a that whoever multiplies it packs it.
  var isNarrow: Bool { panels <= 2 }

  func depth(of block: Int) -> Range<Int> {
    let begin = depth.lowerBound + block * Self.block
    return begin..<min(depth.upperBound, begin + Self.block)
  }
  func panelOffset(_ panel: Int, block: Int) -> Int {
    panel * panelByteCount + block * blockByteCount
  }
  func rowOffset(_ row: Int, block: Int) -> Int {
    rowsOffset + (block * rows.count + row - rows.lowerBound) * rowStride * form.size
  }
}

extension CPUBackend: TrainingBackend {
  package func linearBackward(
    _ outputs: [Tensor], _ weights: [Tensor], adding: Bool, into input: Tensor
  ) {
    precondition(!weights.isEmpty && weights.count == outputs.count, "\(weights.count) matrices")
    for (index, (output, matrix)) in zip(outputs, weights).enumerated() {
      precondition(
        output.columns == matrix.rows && input.columns == matrix.columns
          && output.rows == input.rows && output.dtype == .f32 && input.dtype == .f32,
        "[\(output.rows), \(output.columns)] · [\(matrix.rows), \(matrix.columns)] into "
          + "[\(input.rows), \(input.columns)]")
      multiply(PackedProduct(a: output, b: matrix, c: input, adding: adding || index > 0))
    }
  }

  package func weightGradient(
    _ output: Tensor, _ input: Tensor, scale: Float, into gradient: Tensor
  ) {
    precondition(
      gradient.rows == output.columns && gradient.columns == input.columns
        && output.rows == input.rows && output.dtype == .f32
        && (gradient.dtype == .f32 || gradient.dtype == .bf16),
      "[\(output.rows), \(output.columns)]ᵀ · [\(input.rows), \(input.columns)] into "
        + "[\(gradient.rows), \(gradient.columns)]")
    multiply(
      PackedProduct(
        a: output, isTransposed: true, scale: scale, b: input, c: gradient, adding: true))
  }

  /// Packed numbers of a stretch: few enough to stay in a cache that all cores share.
  private static let stretchByteCount = 4 << 20
  /// Least depth of a stretch: c passes by once for each.
  private static let leastDepth = 512
  /// Rows that are packed at once, and rows of a tile of work.
  private static let packedRows = 64
  private static let tileRows = 384
  private static let leastTileRows = 48
  /// What one tile of work adds to numbers in bf16.
  private static let sumsByteCount = tileRows * PackedStretch.panel * MemoryLayout<Float>.size

  /// In what numbers factors are packed: bf16, or as many bits as integers, where that is faster.
  private var packedForm: PackedForm {
    if precision == .exact { return .f32 }
    if unsafe kernels.pointee.gemm_packed_bf16 != nil { return .bf16 }
    return unsafe kernels.pointee.gemm_packed_words != nil ? .words : .f32
  }

  private func multiply(_ product: PackedProduct) {
    let (rows, depth, columns) = (product.rows, product.depth, product.columns)
    guard rows > 0, columns > 0 else { return }
    let form = packedForm
    let size = form.size
    if let parts = deepParts(product) { return multiplyDeep(product, parts: parts, form: form) }
    let wanted = Self.stretchByteCount / ((columns + min(rows, 4096)) * size)
    let deep = max(Self.leastDepth, wanted / PackedStretch.block * PackedStretch.block)
    let high = max(
      1024, Self.stretchByteCount / (min(deep, depth + 32) * size) / Self.tileRows * Self.tileRows)
    pool.exclusively { turn in
      for row in stride(from: 0, to: rows, by: high) {
        // With no depth at all, c is still to become zero.
        for begin in stride(from: 0, to: max(depth, 1), by: deep) {
          let stretch = PackedStretch(
            rows: row..<min(rows, row + high), depth: begin..<min(depth, begin + deep),
            columns: columns, form: form)
          scratch.reserve(shared: stretch.byteCount)
          if product.c.dtype == .bf16 { scratch.reserve(perWorker: Self.sumsByteCount) }
          pack(product, stretch, turn)
          multiply(product, stretch, turn)
        }
      }
    }
  }

  private func pack(_ product: PackedProduct, _ stretch: PackedStretch, _ turn: WorkerPool.Turn) {
    let width = 4 * PackedStretch.panel
    let groups = (stretch.columns + width - 1) / width
    let pieces =
      stretch.isNarrow ? 0 : (stretch.rows.count + Self.packedRows - 1) / Self.packedRows
    turn.run(chunks: stretch.blocks * (groups + pieces)) { chunk, _ in
      let (block, piece) = (chunk / (groups + pieces), chunk % (groups + pieces))
      if piece < groups {
        let columns = piece * width..<min(stretch.columns, (piece + 1) * width)
        unsafe packPanels(product.b, stretch, block, columns, scratch.shared)
      } else {
        let first = stretch.rows.lowerBound + (piece - groups) * Self.packedRows
        unsafe packRows(
          product, stretch, block,
          first..<min(stretch.rows.upperBound, first + Self.packedRows), scratch.shared)
      }
    }
  }

  /// Packs some columns of a block of b; `packed` is where the stretch begins.
  func packPanels(
    _ b: Tensor, _ stretch: PackedStretch, _ block: Int, _ columns: Range<Int>,
    _ packed: UnsafeMutableRawPointer
  ) {
    let depth = stretch.depth(of: block)
    var matrix = unsafe kernelView(b)
    let to =
      unsafe packed
      + stretch.panelOffset(columns.lowerBound / PackedStretch.panel, block: block)
    let pack =
      switch stretch.form {
      case .f32: unsafe kernels.pointee.pack_f32
      case .bf16: unsafe kernels.pointee.pack_bf16
      case .words: unsafe kernels.pointee.pack_words
      }
    unsafe pack?(
      &matrix, Int64(depth.lowerBound), Int64(depth.count), Int64(columns.lowerBound),
      Int64(columns.upperBound), to, Int64(stretch.panelByteCount))
  }

  /// Packs some rows of a block of a.
  func packRows(
    _ product: PackedProduct, _ stretch: PackedStretch, _ block: Int, _ rows: Range<Int>,
    _ packed: UnsafeMutableRawPointer
  ) {
    let depth = stretch.depth(of: block)
    let a = product.a
    let to = unsafe packed + stretch.rowOffset(rows.lowerBound, block: block)
    if product.isTransposed {
      let transpose =
        switch stretch.form {
        case .f32: unsafe kernels.pointee.transpose_f32
        case .bf16: unsafe kernels.pointee.transpose_bf16
        case .words: unsafe kernels.pointee.transpose_words
        }
      unsafe transpose?(
        a.floatPointer + depth.lowerBound * a.columns + rows.lowerBound, Int64(a.columns),
        Int64(rows.count), Int64(depth.count), product.scale, to, Int64(stretch.rowStride))
      return
    }
    for row in rows {
      let from = unsafe a.floatPointer + row * a.columns + depth.lowerBound
      let at = unsafe to + (row - rows.lowerBound) * stretch.rowStride * stretch.form.size
      switch stretch.form {
      case .f32: unsafe at.copyMemory(from: from, byteCount: depth.count * 4)
      case .bf16:
        let numbers = unsafe at.assumingMemoryBound(to: UInt16.self)
        unsafe kernels.pointee.to_bf16(from, Int64(depth.count), numbers)
        if !depth.count.isMultiple(of: 2) { unsafe numbers[depth.count] = 0 }
      case .words: unsafe kernels.pointee.row_to_words?(from, Int64(depth.count), at)
      }
    }
  }

  private func multiply(
    _ product: PackedProduct, _ stretch: PackedStretch, _ turn: WorkerPool.Turn
  ) {
    let count = stretch.rows.count
    // Tiles as high as a cache allows, but enough of them to even out noise; whole register tiles.
    let wanted = (8 * pool.threadCount + stretch.panels - 1) / stretch.panels
    let even = (count + wanted - 1) / wanted
    let high =
      stretch.isNarrow
      ? Self.packedRows : max(Self.leastTileRows, min(Self.tileRows, (even + 11) / 12 * 12))
    let pieces = (count + high - 1) / high
    turn.run(chunks: stretch.isNarrow ? pieces : pieces * stretch.panels) { chunk, worker in
      let first = stretch.rows.lowerBound + chunk % pieces * high
      let rows = first..<min(stretch.rows.upperBound, first + high)
      guard stretch.isNarrow else {
        multiplyTile(product, stretch, chunk / pieces, rows, worker)
        return
      }
      for block in 0..<stretch.blocks {
        unsafe packRows(product, stretch, block, rows, scratch.shared)
      }
      for panel in 0..<stretch.panels { multiplyTile(product, stretch, panel, rows, worker) }
    }
  }

  private func multiplyTile(
    _ product: PackedProduct, _ stretch: PackedStretch, _ panel: Int, _ rows: Range<Int>,
    _ worker: Int
  ) {
    let c = product.c
    let column = panel * PackedStretch.panel
    let columns = min(PackedStretch.panel, stretch.columns - column)
    if c.dtype == .bf16 {
      let sums = unsafe scratch.part(worker).assumingMemoryBound(to: Float.self)
      let width = PackedStretch.panel
      unsafe sums.update(repeating: 0, count: rows.count * width)
      unsafe multiplyPanel(panel, rows, stretch, scratch.shared, sums, stride: width)
      let to = unsafe c.pointer.assumingMemoryBound(to: UInt16.self)
      for (index, row) in rows.enumerated() {
        unsafe kernels.pointee.add_to_bf16(
          sums + index * width, Int64(columns), to + row * c.columns + column)
      }
      return
    }
    let to = unsafe c.floatPointer + rows.lowerBound * c.columns + column
    if !product.adding, stretch.depth.lowerBound == 0 {
      for row in 0..<rows.count {
        unsafe (to + row * c.columns).update(repeating: 0, count: columns)
      }
    }
    unsafe multiplyPanel(panel, rows, stretch, scratch.shared, to, stride: c.columns)
  }

  /// c [rows, 64] += all blocks of the rows of a with one panel of b.
  func multiplyPanel(
    _ panel: Int, _ rows: Range<Int>, _ stretch: PackedStretch, _ packed: UnsafeMutableRawPointer,
    _ c: UnsafeMutablePointer<Float>, stride: Int
  ) {
    let columns = min(PackedStretch.panel, stretch.columns - panel * PackedStretch.panel)
    let gemm =
      switch stretch.form {
      case .f32: unsafe kernels.pointee.gemm_packed_f32
      case .bf16: unsafe kernels.pointee.gemm_packed_bf16
      case .words: unsafe kernels.pointee.gemm_packed_words
      }
    for block in 0..<stretch.blocks {
      unsafe gemm?(
        Int64(rows.count), Int64(columns), Int64(stretch.depth(of: block).count),
        packed + stretch.rowOffset(rows.lowerBound, block: block), Int64(stretch.rowStride),
        packed + stretch.panelOffset(panel, block: block), c, Int64(stride))
    }
  }
}
