// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// The working tree these tests were built from, read as text.
enum Repository {
  /// The folder that holds Package.swift.
  static let root: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    return parts.dropLast(3).joined(separator: "/")
  }()

  /// The text of the file at `path`, relative to the root.
  static func text(_ path: String) throws -> String {
    try String(contentsOfFile: root + "/" + path, encoding: .utf8)
  }

  /// True when a file or folder exists at `path`, relative to the root.
  static func has(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: root + "/" + path)
  }

  /// True when `path`, relative to the root, is a folder.
  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return unsafe FileManager.default.fileExists(atPath: root + "/" + path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  /// The names of what lies directly in `folder`, sorted; hidden entries are left out.
  static func entries(of folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: root + "/" + folder)
      .filter { !$0.hasPrefix(".") }.sorted()
  }

  /// Every file under `folder` whose name ends in `suffix`, relative to the root, sorted.
  static func files(under folder: String, suffix: String) -> [String] {
    let walk = FileManager.default.enumerator(atPath: root + "/" + folder)
    let names = (walk?.allObjects ?? []).compactMap { $0 as? String }
    return names.filter { $0.hasSuffix(suffix) && !$0.hasPrefix(".build") }
      .map { folder + "/" + $0 }.sorted()
  }
}
