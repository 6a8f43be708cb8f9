// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetStore
import FacetTestSupport
import Foundation
import Testing

/// What the disk refuses, in sentences.
@Suite("Files of the library")
struct DiskFileTests {
  @Test("a home where nothing can be made is told apart from one with a file in the way")
  func refusals() throws {
    let file = Scratch.path("file")
    try Data().write(to: URL(fileURLWithPath: file))
    defer { try? FileManager.default.removeItem(atPath: file) }
    func message(_ path: String) -> String {
      do { try DiskFile.makeDirectory(path) } catch { return error.message }
      return ""
    }
    #expect(
      message("/proc/none/a")
        == "Cannot create the directory '/proc/none/a': no such file or directory.")
    let inTheWay = message(file + "/a")
    #expect(inTheWay.hasPrefix("Cannot create the directory '\(file)/a': "))
    #expect(inTheWay.hasSuffix(".") && !inTheWay.hasSuffix(".."))
    #expect(!inTheWay.contains("NSCocoaErrorDomain"))
  }
}
