// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// Where tests write.
///
/// Everything below goes when the process ends.
public enum Scratch {
  /// A path of its own for each call, where nothing is yet; the folder around it is there.
  public static func path(_ name: String) -> String { "\(home)/\(name)-\(UUID().uuidString)" }

  /// A new folder.
  public static func folder(_ name: String) throws -> String {
    let folder = path(name)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return folder
  }

  private static let home: String = {
    let path = FileManager.default.temporaryDirectory.path + "/facet-tests-\(UUID().uuidString)"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    atexit { try? FileManager.default.removeItem(atPath: Scratch.home) }
    return path
  }()
}
