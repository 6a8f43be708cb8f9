// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import Foundation

// Types that members of a `Generable` type may have as they are.

extension String: Generable {}
extension Bool: Generable {}
extension Double: Generable {}
extension Float: Generable {}
extension Int: Generable {}
extension Int8: Generable {}
extension Int16: Generable {}
extension Int32: Generable {}
extension Int64: Generable {}
extension UInt: Generable {}
extension UInt8: Generable {}
extension UInt16: Generable {}
extension UInt32: Generable {}
extension UInt64: Generable {}
extension Decimal: Generable {}
extension Date: Generable {}
extension URL: Generable {}
extension UUID: Generable {}

extension Array: Generable where Element: Generable {
  /// The elements that there are; the last one may still grow.
  public typealias PartiallyGenerated = [Element.PartiallyGenerated]
}

extension Optional: Generable where Wrapped: Generable {
  /// The value as far as it is there.
  public typealias PartiallyGenerated = Wrapped.PartiallyGenerated?
}

extension Dictionary: Generable where Key == String, Value: Generable {
  /// The members that there are; the last one may still grow.
  public typealias PartiallyGenerated = [String: Value.PartiallyGenerated]
}
