// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import Testing

@Suite("Values in bytes")
struct RawSpanValuesTests {
  @Test("are what the bytes say, wherever they begin")
  func values() {
    let bytes: [UInt8] = (0..<40).map { $0 &* 37 &+ 5 }
    let span = unsafe bytes.span.bytes
    for offset in 0..<9 {
      for count in 0...3 {
        let found = span.values(UInt32.self, at: offset, count: count)
        let expected = (0..<count).map { index in
          (0..<4).reduce(UInt32(0)) {
            $0 | UInt32(bytes[offset + 4 * index + $1]) << UInt32(8 * $1)
          }
        }
        #expect(found == expected, "\(count) at \(offset)")
      }
    }
    let last = span.values(UInt64.self, at: 32, count: 1)
    let none = span.values(UInt8.self, at: 40, count: 0)
    #expect(last.count == 1 && none.isEmpty)
  }

  @Test("a checksum of values is that of their bytes")
  func checksum() {
    var one = Checksum()
    var two = Checksum()
    one.add(values: [1, 2, 3] as [UInt16])
    two.add([1, 0, 2, 0, 3, 0])
    #expect(one.value == two.value)
  }
}
