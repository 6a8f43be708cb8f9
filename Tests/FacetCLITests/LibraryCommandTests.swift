// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetCheckpoint
import Foundation
import Testing

/// `facet list`, `show`, `cp`, `rm` on a library with one model in it.
@Suite("Commands on the library")
struct LibraryCommandTests {
  /// A library that holds the small model as `tiny:v1`.
  static func library() throws -> String {
    let home = TinyModel.folder + "/library-\(UUID().uuidString)"
    let layout = ModelStore(home: home).layout
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: TinyModel.base)))
    let digest = SHA256.hex(bytes)
    let name = try ModelName("tiny:v1")
    try DiskFile.replace(layout.blob(digest), with: Data(bytes))
    let manifest = Manifest(
      name: name, description: "A test", source: "test:tiny", licence: .apache,
      files: [StoredFile(name: "tiny.gguf", sha256: digest, byteCount: bytes.count)])
    try ModelStore(home: home).record(manifest, as: name)
    return home
  }

  @Test("an empty library says how to fill it")
  func empty() throws {
    let outcome = try Facet.run("list")
    #expect(outcome.status == 0)
    #expect(outcome.output == "")
    #expect(
      outcome.error
        == "No models in '\(TinyModel.folder)/no-library' yet. facet pull gemma3:270m brings one; "
        + "facet list --all shows what there is.\n")
  }

  @Test("models are listed with their size; --all adds those that can be pulled")
  func list() throws {
    let home = try Self.library()
    let lines = try Facet.run("list", home: home).output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.first?.hasPrefix("NAME") == true)
    #expect(lines.last?.hasPrefix("tiny:v1  ") == true && lines.last?.hasSuffix("A test") == true)
    let all = try Facet.run("list", "--all", home: home).output.split(separator: "\n")
    #expect(all.count == 2 + Catalogue.models.count)
    #expect(all.contains { $0.hasPrefix("gemma3:270m ") })
    struct Row: Decodable {
      var name: String
      var stored: Bool
      var bytes: Int?
    }
    let json = try Facet.run("list", "--all", "--json", home: home).output
    let rows = try JSONDecoder().decode([Row].self, from: Data(json.utf8))
    #expect(rows.filter(\.stored).map(\.name) == ["tiny:v1"])
    #expect((rows.first?.bytes ?? 0) > TinyModel.weightByteCount)
  }

  @Test("a model of the library is shown with its licence, and run by its name")
  func use() throws {
    let home = try Self.library()
    let licence = try Facet.run("show", "tiny:v1", "--licence", home: home).output
    #expect(
      licence
        == "Apache License 2.0\n\nLicensed under the Apache License, Version 2.0.\n\n"
        + "https://www.apache.org/licenses/LICENSE-2.0\n")
    #expect(
      try Facet.run("show", "tiny:v1", home: home).output.contains("source        test:tiny\n"))
    let named = try Facet.run("run", "tiny:v1", "Hello", "--greedy", home: home)
    let file = try Facet.run("run", TinyModel.base, "Hello", "--greedy")
    #expect(named.status == 0)
    #expect(named.output == file.output)
  }

  @Test("a copy shares its files, and they go with the last name")
  func copyAndRemove() throws {
    let home = try Self.library()
    let copy = try Facet.run("cp", "tiny:v1", "mine", home: home)
    #expect(copy.output == "tiny:v1 is also mine:latest now.\n")
    func blobs() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: home + "/blobs").count
    }
    #expect(try Facet.run("rm", "tiny:v1", home: home).output == "Removed tiny:v1.\n")
    #expect(try blobs() == 1)
    let rest = try Facet.run("rm", "nothing", "mine", home: home)
    #expect(rest.status == 1)
    #expect(rest.output == "Removed mine:latest.\n")
    #expect(
      rest.error == "facet: 'nothing:latest' is not in the library. facet list shows what is.\n")
    #expect(try blobs() == 0)
  }
}
