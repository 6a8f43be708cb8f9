// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser

/// Whole numbers with commas between them.
struct NumberList: ExpressibleByArgument, ExpressibleByArrayLiteral, Equatable, Codable {
  let numbers: [Int]

  init(arrayLiteral elements: Int...) { numbers = elements }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }
    guard numbers.count == parts.count else { return nil }
    self.numbers = numbers
  }

  var defaultValueDescription: String { numbers.map(String.init).joined(separator: ",") }
}
