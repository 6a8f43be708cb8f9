// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Testing

/// The pages against the working tree: what they name exists, what exists is named.
@Suite("Documentation")
struct DocumentationTests {
  static let pages =
    ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
    + Repository.files(under: "docs", suffix: ".md")

  @Test("every path that a page names exists", arguments: pages)
  func pathsExist(_ page: String) throws {
    let folder = page.split(separator: "/").dropLast().joined(separator: "/")
    let paths = DocumentedPaths.paths(in: try Repository.text(page), folder: folder)
    #expect(paths.sorted().filter { !Repository.has($0) } == [])
  }

  @Test("every page that a source file names exists")
  func citationsExist() throws {
    var absent: [String] = []
    for file in Repository.files(under: "Sources", suffix: "")
    where !Repository.isFolder(file) && !file.hasSuffix(".bin") {
      for path in DocumentedPaths.paths(in: try Repository.text(file), folder: "") {
        if path.hasPrefix("docs/") && !Repository.has(path) { absent.append("\(file): \(path)") }
      }
    }
    #expect(absent == [])
  }

  @Test("the README's tree names every module")
  func readmeNamesModules() throws {
    let readme = try Repository.text("README.md")
    let absent = try Repository.entries(of: "Sources").filter { !readme.contains("Sources/\($0)/") }
    #expect(absent == [])
  }

  @Test("the README's Swift code is that of an example, which the tests build")
  func readmeCodeIsReal() throws {
    let blocks = DocumentedPaths.fencedBlocks(
      of: try Repository.text("README.md"), language: "swift")
    let examples = try Repository.files(under: "Examples", suffix: ".swift").map(Repository.text)
    #expect(!blocks.isEmpty)
    #expect(blocks.filter { block in !examples.contains { $0.contains(block) } } == [])
  }

  @Test("the tutorials' Swift code is that of examples, which the tests build and run")
  func tutorialCodeIsReal() throws {
    /// Lines without what they are indented by.
    func flush(_ text: String) -> String {
      text.split(separator: "\n", omittingEmptySubsequences: false)
        .map { $0.drop { $0 == " " } }.joined(separator: "\n")
    }
    let examples = try Repository.files(under: "Examples", suffix: ".swift").map {
      flush(try Repository.text($0))
    }
    let pages = Repository.files(under: "Sources", suffix: ".md").filter { $0.contains(".docc/") }
    let blocks = try pages.flatMap {
      DocumentedPaths.fencedBlocks(of: try Repository.text($0), language: "swift")
    }
    #expect(blocks.count > 5)
    #expect(blocks.filter { block in !examples.contains { $0.contains(flush(block)) } } == [])
  }

  @Test("every decision is listed in docs/architecture.md")
  func decisionsAreListed() throws {
    let architecture = try Repository.text("docs/architecture.md")
    let decisions = try Repository.entries(of: "docs/adr")
    #expect(!decisions.isEmpty)
    #expect(decisions.filter { !architecture.contains("adr/\($0)") } == [])
  }

  /// The folders of Tests/Goldens; pages that lie beside them are no goldens.
  private static func goldenTopics() throws -> [String] {
    try Repository.entries(of: "Tests/Goldens").filter { !$0.hasSuffix(".md") }
  }

  @Test("every golden topic has a section in Tests/Goldens/PROVENANCE.md")
  func goldensHaveProvenance() throws {
    let provenance = try Repository.text("Tests/Goldens/PROVENANCE.md")
    let headings = provenance.split(separator: "\n").filter { $0.hasPrefix("## ") }
    #expect(
      try Self.goldenTopics().filter { topic in !headings.contains { $0.contains(topic) } } == [])
  }

  @Test("every golden topic is read by a test")
  func noDeadGoldens() throws {
    let tests = try Repository.files(under: "Tests", suffix: ".swift").map(Repository.text)
    for topic in try Self.goldenTopics() {
      #expect(
        tests.contains { $0.contains("\"\(topic)/") }, "Tests/Goldens/\(topic) is read by no test")
    }
  }
}
