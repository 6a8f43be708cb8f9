// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A number of bytes for people, such as `1.5 GB`; powers of 1,000, as disks are sold.
package struct ByteText: CustomStringConvertible {
  private let count: Int

  /// `count` bytes.
  package init(_ count: Int) { self.count = count }

  /// Three digits and a unit.
  package var description: String {
    if count < 1000 { return "\(count) B" }
    var value = Double(count)
    var unit = 0
    while value >= 999.5, unit < 4 {
      value /= 1000
      unit += 1
    }
    let digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
    let scale = [1.0, 10, 100][digits]
    let rounded = (value * scale).rounded() / scale
    return
      "\(digits == 0 ? "\(Int(rounded))" : "\(rounded)") \(["B", "kB", "MB", "GB", "TB"][unit])"
  }
}
