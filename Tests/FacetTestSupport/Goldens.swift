// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Where the goldens of Tests/Goldens lie on this machine.
public enum Goldens {
  /// The path of `name` inside Tests/Goldens.
  public static func path(_ name: String, file: String = #filePath) -> String {
    let folders = file.split(separator: "/", omittingEmptySubsequences: false)
    let tests = folders.lastIndex(of: "Tests") ?? folders.endIndex
    return folders[..<tests].joined(separator: "/") + "/Tests/Goldens/" + name
  }
}
