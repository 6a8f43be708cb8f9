// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// Models of this machine's store, for tests that may not depend on the store itself.
public enum StoredModels {
  /// The SHA-256 of the default model's file, `gemma3:270m`.
  public static let gemma3Hash = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
  /// The SHA-256 of SmolLM2 135M Instruct's file in the Q4_1 form.
  public static let smolLM2Hash = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
  /// What a test says when it is skipped for want of the default model.
  public static let needsGemma3 = "needs gemma3:270m in the store (facet pull gemma3:270m)"

  /// The path of the stored file with this SHA-256; nil when the store does not have it.
  public static func path(sha256: String) -> String? {
    let environment = ProcessInfo.processInfo.environment
    let home =
      environment["FACET_HOME"].flatMap { $0.isEmpty ? nil : $0 }
      ?? NSHomeDirectory() + "/.facet"
    let path = home + "/blobs/sha256-" + sha256
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }
}
