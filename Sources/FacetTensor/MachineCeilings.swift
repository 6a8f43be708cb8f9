// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels

/// What the machine can do at most with the kernels in use and all threads: speeds to hold others
/// against.
///
/// Measured, not looked up: a virtual machine may have less than its CPU's data sheet says.
public struct MachineCeilings: Sendable, Hashable, Codable {
  /// Bytes that can be read from memory in a second.
  public var readBytesPerSecond: Double
  /// Multiplications and additions in f32 in a second.
  public var f32OperationsPerSecond: Double
  /// The same in bf16 dot products; nil where the CPU has none.
  public var bf16OperationsPerSecond: Double?
  /// The same in 8-bit dot products; nil where the CPU has none.
  public var int8OperationsPerSecond: Double?

  enum CodingKeys: String, CodingKey {
    case readBytesPerSecond = "read_bytes_per_s"
    case f32OperationsPerSecond = "f32_operations_per_s"
    case bf16OperationsPerSecond = "bf16_operations_per_s"
    case int8OperationsPerSecond = "int8_operations_per_s"
  }

  /// Ceilings that are known already.
  public init(
    readBytesPerSecond: Double, f32OperationsPerSecond: Double,
    bf16OperationsPerSecond: Double? = nil, int8OperationsPerSecond: Double? = nil
  ) {
    self.readBytesPerSecond = readBytesPerSecond
    self.f32OperationsPerSecond = f32OperationsPerSecond
    self.bf16OperationsPerSecond = bf16OperationsPerSecond
    self.int8OperationsPerSecond = int8OperationsPerSecond
  }
}

extension CPUBackend {
  /// Measures the ceilings, the best of `runs` runs each: a second or less in all.
  ///
  /// `byteCount` should be several times the last cache; memory is taken for as long as it lasts.
  public func measureCeilings(
    byteCount: Int = 256 << 20, runs: Int = 7
  ) throws(TensorError) -> MachineCeilings {
    let peaks = unsafe (
      kernels.pointee.peak_f32, kernels.pointee.peak_bf16, kernels.pointee.peak_bytes
    )
    return MachineCeilings(
      readBytesPerSecond: try reading(byteCount, runs: runs),
      f32OperationsPerSecond: unsafe arithmetic(peaks.0, runs: runs) ?? 0,
      bf16OperationsPerSecond: unsafe arithmetic(peaks.1, runs: runs),
      int8OperationsPerSecond: unsafe arithmetic(peaks.2, runs: runs))
  }

  private func reading(_ byteCount: Int, runs: Int) throws(TensorError) -> Double {
    let chunk = 1 << 20
    let chunks = max(1, byteCount / chunk)
    let buffer = try TensorStorage.allocate(byteCount: chunks * chunk)
    // Pages that nobody has written are all the same page of zeros, which the cache holds.
    pool.run(chunks: chunks) { index, _ in
      unsafe (buffer.base + index * chunk).initializeMemory(
        as: UInt8.self, repeating: UInt8(truncatingIfNeeded: index | 1), count: chunk)
    }
    let seconds = shortest(runs) {
      pool.run(chunks: chunks) { index, _ in
        _ = unsafe kernels.pointee.read_all(buffer.base + index * chunk, Int64(chunk))
      }
    }
    return Double(chunks * chunk) / seconds
  }

  private typealias Peak =
    @convention(c) (
      Int64, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?
    ) -> Int64

  private func arithmetic(_ peak: Peak?, runs: Int) -> Double? {
    guard let peak = unsafe peak else { return nil }
    let chunks = threadCount * Self.peakChunks
    // Two vectors of ones as bf16 pairs, which are harmless numbers as f32 and as bytes, too.
    let inputs = [Float](repeating: Float(bitPattern: 0x3f80_3f80), count: 32)
    func operations(_ rounds: Int64) -> Int64 {
      let results = unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: 16) {
        results in
        unsafe inputs.withUnsafeBufferPointer {
          unsafe peak(rounds, $0.baseAddress, results.baseAddress)
        }
      }
      return results
    }
    let each = operations(1)
    let seconds = shortest(runs) {
      pool.run(chunks: chunks) { _, _ in _ = operations(Self.peakRounds) }
    }
    return Double(each * Self.peakRounds) * Double(chunks) / seconds
  }

  // A chunk takes some tenths of a millisecond, a run some milliseconds.
  private static let peakRounds: Int64 = 100_000
  private static let peakChunks = 4

  private func shortest(_ runs: Int, _ body: () -> Void) -> Double {
    body()
    return (0..<max(1, runs)).reduce(.infinity) { shortest, _ in
      let start = ContinuousClock.now
      body()
      return min(shortest, (ContinuousClock.now - start) / .seconds(1))
    }
  }
}
