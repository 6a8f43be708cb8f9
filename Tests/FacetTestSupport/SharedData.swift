// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// Large public data beside the checkout, in `../shared/data`; tests that want it are skipped where it is
/// absent.
public enum SharedData {
  /// The path of `name` there; nil when it is absent.
  public static func path(_ name: String, file: String = #filePath) -> String? {
    let checkout = file.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    let path = checkout.joined(separator: "/") + "/../shared/data/" + name
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }
}
