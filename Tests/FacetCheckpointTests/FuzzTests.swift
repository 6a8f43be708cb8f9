// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTensor
import Foundation
import Testing

/// No bytes make a reader crash, hang, take memory that the file does not back, or fail without a
/// sentence that names the file.
@Suite("No file breaks a reader")
struct FuzzTests {
  @Test("the sound files are read")
  func sound() throws {
    for target in try FuzzTarget.all() {
      #expect(try target.complaint(target.bytes) == nil, "\(target.name)")
      #expect(try target.refuses(target.bytes) == false, "\(target.name)")
    }
  }

  @Test("cut off after every byte")
  func truncation() throws {
    for target in try FuzzTarget.all() {
      let binary = !target.name.hasSuffix("json")
      // The last bytes of a GGUF file are padding, and of JSON perhaps space.
      for count in stride(from: 0, to: target.bytes.count, by: target.name == "llama2.c" ? 7 : 1) {
        let cut = Array(target.bytes.prefix(count))
        if let complaint = try target.complaint(cut) {
          Issue.record("\(target.name) cut off at \(count) \(complaint)")
        }
        if !binary || count < target.headerByteCount {
          #expect(try target.refuses(cut), "\(target.name) cut off at \(count)")
        }
      }
    }
  }

  @Test("every single bit of every header flipped")
  func bits() throws {
    for target in try FuzzTarget.all() {
      for at in 0..<target.headerByteCount {
        for bit in 0..<8 {
          var bytes = target.bytes
          bytes[at] ^= 1 << bit
          if let complaint = try target.complaint(bytes) {
            Issue.record("\(target.name), bit \(bit) of byte \(at): \(complaint)")
          }
        }
      }
    }
  }

  /// Numbers that readers tend to believe.
  static let lies: [UInt64] = [
    .max, 1 << 63, UInt64(Int.max), 1 << 62, 1 << 61, 1 << 48, 1 << 40, 1 << 32, UInt64(UInt32.max),
    1 << 31, 1 << 31 - 1, 0,
  ]

  #if os(Linux)
    @Test("huge numbers at every place of every header, in a process that gets no memory for them")
    func lies() async {
      await #expect(processExitsWith: .success) {
        let targets = try FuzzTarget.all()
        for target in targets { _ = try target.complaint(target.bytes) }
        let held = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        let pages = UInt(held.split(separator: " ").first ?? "") ?? 0
        var limit = rlimit(rlim_cur: pages * 4096 + 256 << 20, rlim_max: pages * 4096 + 256 << 20)
        // 9 is RLIMIT_AS.
        let limited = unsafe setrlimit(__rlimit_resource_t(9), &limit)
        precondition(limited == 0)
        for target in targets {
          for at in 0..<target.headerByteCount {
            for lie in FuzzTests.lies {
              var bytes = target.bytes
              for (index, byte) in little(lie).enumerated() where at + index < bytes.count {
                bytes[at + index] = byte
              }
              if let complaint = try target.complaint(bytes) {
                preconditionFailure("\(target.name), \(lie) at byte \(at): \(complaint)")
              }
            }
          }
        }
        // Counts that a file of this size might just hold, of things that are not there.
        for (at, each) in [(8, 33), (16, 14)] {
          var bytes = [UInt8](repeating: 0, count: 16 << 20)
          bytes.replaceSubrange(0..<8, with: Array("GGUF".utf8) + [3, 0, 0, 0])
          bytes.replaceSubrange(at..<at + 8, with: little(UInt64((16 << 20 - 24) / each)))
          if let complaint = try targets[0].complaint(bytes) {
            preconditionFailure("count at \(at): \(complaint)")
          }
        }
      }
    }
  #endif

  @Test("random damage, FACET_FUZZ_SECONDS long, from FACET_TEST_SEED")
  func random() throws {
    let environment = ProcessInfo.processInfo.environment
    let seed = environment["FACET_TEST_SEED"].flatMap { UInt64($0) } ?? .random(in: 0 ... .max)
    let seconds = environment["FACET_FUZZ_SECONDS"].flatMap { Double($0) } ?? 1.5
    print("FuzzTests: FACET_TEST_SEED=\(seed)")
    var random = RandomGenerator(seed: seed)
    let targets = try FuzzTarget.all()
    let end = ContinuousClock.now + .seconds(seconds)
    var cases = 0
    while ContinuousClock.now < end {
      let target = targets[cases % targets.count]
      let bytes = Damage.bytes(target, &random)
      if let complaint = try target.complaint(bytes) {
        Issue.record(
          "FACET_TEST_SEED=\(seed), case \(cases), \(target.name) \(complaint): \(Data(bytes).base64EncodedString())"
        )
      }
      cases += 1
    }
    #expect(cases > 100, "FACET_TEST_SEED=\(seed)")
  }
}

extension FuzzTarget {
  /// True when the model cannot be opened with these bytes.
  func refuses(_ bytes: [UInt8]) throws -> Bool { try opens(bytes).map { _ in false } ?? true }
}

/// Ways to spoil bytes at random.
private enum Damage {
  static func bytes(_ target: FuzzTarget, _ random: inout RandomGenerator) -> [UInt8] {
    var bytes = target.bytes
    func below(_ count: Int, _ random: inout RandomGenerator) -> Int {
      count > 0 ? Int(random.next() % UInt64(count)) : 0
    }
    for _ in 0...below(4, &random) {
      // Most damage belongs where the numbers are believed.
      let limit = below(8, &random) == 0 ? bytes.count : min(bytes.count, target.headerByteCount)
      let at = below(limit, &random)
      let count = min(bytes.count - at, 1 + below(16, &random))
      switch below(6, &random) {
      case 0: bytes[at..<at + min(1, bytes.count - at)] = [UInt8(truncatingIfNeeded: random.next())]
      case 1: bytes.removeSubrange(at..<at + count)
      case 2: bytes.insert(contentsOf: bytes[at..<at + count], at: below(bytes.count, &random))
      case 3:
        let lie = little(FuzzTests.lies[below(FuzzTests.lies.count, &random)])
        for (index, byte) in lie.enumerated() where at + index < bytes.count {
          bytes[at + index] = byte
        }
      case 4: bytes.removeLast(below(bytes.count, &random))
      default:
        let other = below(limit, &random)
        if at < bytes.count, other < bytes.count { bytes.swapAt(at, other) }
      }
    }
    return bytes
  }
}
