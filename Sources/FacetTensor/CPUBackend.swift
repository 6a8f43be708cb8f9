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

/// The operations on the CPU: a worker pool over the kernels of one instruction set.
///
/// `@unchecked Sendable`: `scratch` is touched only by the holder of the pool's turn, and each
/// worker's part of it only by the chunk that runs as that worker.
@safe public final class CPUBackend: @unchecked Sendable {
  /// How exactly this backend computes.
  public let precision: Precision
  /// The kernels in use.
  public let instructionSet: InstructionSet
  /// Threads that share an operation.
  public var threadCount: Int { pool.threadCount }

  let kernels: UnsafePointer<fk_kernels>
  let pool: WorkerPool
  var scratch: Scratch

  /// Makes a backend of `threads` threads (nil: one per core that the process may use) and the best
  /// instruction set unless one is named; nil when the CPU lacks that one.
  public init?(
    threads: Int? = nil, precision: Precision = .fast,
    instructionSet: InstructionSet = .best
  ) {
    guard let kernels = unsafe instructionSet.kernels else { return nil }
    let threads = max(1, threads ?? Self.availableCores)
    unsafe self.kernels = kernels
    self.instructionSet = instructionSet
    self.precision = precision
    pool = WorkerPool(threadCount: threads)
    scratch = Scratch(workers: threads)
  }

  /// Cores that this process may run on.
  public static var availableCores: Int {
    let online = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    #if os(Linux)
      if let allowed = allowedCores { return min(allowed, online) }
    #endif
    return online
  }

  #if os(Linux)
    /// The bits of `Cpus_allowed` in /proc/self/status, which containers and taskset narrow.
    private static var allowedCores: Int? {
      guard let file = unsafe fopen("/proc/self/status", "r") else { return nil }
      defer { unsafe fclose(file) }
      var line = [CChar](repeating: 0, count: 4096)
      while unsafe fgets(&line, Int32(line.count), file) != nil {
        let bytes = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        guard bytes.starts(with: "Cpus_allowed:".utf8) else { continue }
        let digits = bytes.dropFirst("Cpus_allowed:".utf8.count)
        let cores = digits.reduce(0) {
          $0 + (Character(UnicodeScalar($1)).hexDigitValue ?? 0).nonzeroBitCount
        }
        return cores > 0 ? cores : nil
      }
      return nil
    }
  #endif

  /// Rows of a tensor in chunks for the pool: enough of them to even out noise, none too small to be
  /// worth handing over.
  func chunkRows(rows: Int, rowCost: Int, multiple: Int) -> Int {
    let smallest = max(multiple, (Self.smallestChunkCost / max(rowCost, 1)) / multiple * multiple)
    let even = (rows / (pool.threadCount * 8) + multiple - 1) / multiple * multiple
    let largest = max(multiple, Self.largestChunkCost / max(rowCost, 1) / multiple * multiple)
    return min(max(smallest, even, multiple), largest)
  }

  // Bytes of weights, or their like in work: below, handing over costs more than it gives; above, the
  // last chunk keeps the others waiting.
  private static let smallestChunkCost = 16 << 10
  private static let largestChunkCost = 256 << 10

  /// Runs `body` for each of `0..<count`, shared out among the threads; it must not compute on this backend.
  package func share(_ count: Int, _ body: (Int) -> Void) {
    pool.run(chunks: count) { index, _ in body(index) }
  }

  /// Runs `body` over the rows `0..<rows`, split over the pool when they are many.
  func overRows(_ rows: Int, rowCost: Int, _ body: (Range<Int>) -> Void) {
    let size = chunkRows(rows: rows, rowCost: rowCost, multiple: 1)
    let chunks = (rows + size - 1) / size
    guard chunks > 1 else { return body(0..<rows) }
    pool.run(chunks: chunks) { chunk, _ in body(chunk * size..<min(rows, (chunk + 1) * size)) }
  }
}

extension CPUBackend {
  /// Bytes of scratch that passes of `tokens` tokens need at most; `width` is the widest input of a
  /// matrix.
  package static func scratchByteCount(
    tokens: Int, width: Int, headWidth: Int, threads: Int
  ) -> Int {
    let gated = 2 * min(tokens, gatedTokens) * panelRows * MemoryLayout<Float>.size
    let attention = attentionByteCount(headWidth: headWidth)
    return threads * max(gemmScratch + gated, attention.perWorker)
      + max(operandByteCount(tokens: tokens, columns: width), attention.shared)
  }
}

/// Memory that operations need while they run: one part per worker and one they share.
struct Scratch {
  private var parts: [TensorStorage?]
  private var common: TensorStorage?

  init(workers: Int) { parts = Array(repeating: nil, count: workers) }

  /// Makes sure every worker has `byteCount` bytes.
  mutating func reserve(perWorker byteCount: Int) {
    for index in parts.indices where (parts[index]?.byteCount ?? 0) < byteCount {
      parts[index] = Self.allocate(byteCount)
    }
  }

  /// Makes sure `byteCount` bytes are there to share.
  mutating func reserve(shared byteCount: Int) {
    if (common?.byteCount ?? 0) < byteCount { common = Self.allocate(byteCount) }
  }

  func part(_ worker: Int) -> UnsafeMutableRawPointer {
    guard let part = parts[worker] else { preconditionFailure("scratch was not reserved") }
    return unsafe part.base
  }

  var shared: UnsafeMutableRawPointer {
    guard let common else { preconditionFailure("scratch was not reserved") }
    return unsafe common.base
  }

  // Up to some tens of megabytes while training, far less else; when even they are refused nothing can go
  // on.
  private static func allocate(_ byteCount: Int) -> TensorStorage {
    do {
      return try TensorStorage.allocate(byteCount: byteCount)
    } catch {
      preconditionFailure(error.message)
    }
  }
}
