// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Where the goldens of Tests/Goldens lie on this machine.
public enum Goldens {
  /// The path of `name` inside Tests/Goldens.
  public static func path(_ name: String, file: String = #filePath) -> String {
    let support = file.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
    return support.joined(separator: "/") + "/Goldens/" + name
  }
}
