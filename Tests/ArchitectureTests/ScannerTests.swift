// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Testing

/// The readers that the other suites rely on, on texts small enough to check by eye.
@Suite("Scanners")
struct ScannerTests {
  @Test("a manifest's targets are read with names, products, paths and kinds")
  func manifest() {
    let text = """
      // .target(name: "Commented"),
      let package = Package(
        products: [.library(name: "Facet", targets: ["Facet"])],
        dependencies: [.package(url: "https://example.org/p", from: "1.0.0")],  // why
        targets: [
          .target(name: "Low", cSettings: [.define("X")]),
          .target(
            name: "High",
            dependencies: ["Low", .target(name: "Mid", condition: some)], swiftSettings: s),
          .macro(name: "Writer"),
          .executableTarget(
            name: "Tool",
            dependencies: ["High", .product(name: "Parser", package: "swift-parser")]),
          .target(name: "Support", path: "Tests/Support"),
          .testTarget(name: "HighTests", dependencies: ["High"]),
        ])
      """
    let expected = [
      ManifestTarget(name: "Low", dependencies: [], path: nil, isTest: false),
      ManifestTarget(name: "High", dependencies: ["Low", "Mid"], path: nil, isTest: false),
      ManifestTarget(name: "Writer", dependencies: [], path: nil, isTest: false),
      ManifestTarget(name: "Tool", dependencies: ["High", "Parser"], path: nil, isTest: false),
      ManifestTarget(name: "Support", dependencies: [], path: "Tests/Support", isTest: false),
      ManifestTarget(name: "HighTests", dependencies: ["High"], path: nil, isTest: true),
    ]
    #expect(ManifestTarget.all(in: text) == expected)
    #expect(
      Arrows(manifest: text).direct == [
        "Low": [], "High": ["Low", "Mid"], "Writer": [], "Tool": ["High", "Parser"],
      ])
  }

  @Test("the arrows of a page are those of its fenced block and no others")
  func arrowsBlock() {
    let page = """
      A → B in prose does not count.
      ```
      X → Y
      ```
      ```arrows
      Top → Middle, Other
      Middle → Low
      Low → nothing
      Other → nothing
      ```
      """
    let arrows = Arrows(markdown: page)
    #expect(
      arrows.direct == ["Top": ["Middle", "Other"], "Middle": ["Low"], "Low": [], "Other": []])
    #expect(arrows.reachable(from: "Top") == ["Middle", "Other", "Low"])
    #expect(arrows.reachable(from: "Low") == [])
  }

  @Test("a cycle reaches its own start")
  func cycle() {
    let arrows = Arrows(direct: ["A": ["B"], "B": ["A"]])
    #expect(arrows.reachable(from: "A") == ["A", "B"])
  }

  @Test("imports are found behind attributes, access levels, kinds and conditions")
  func imports() {
    let source = """
      // import Commented
      import Plain
      public import Open
      @preconcurrency package import Guarded
      import struct Dates.Date
      #if canImport(Maybe)
        import Maybe
      #endif
      let text = "import Quoted"
      import Plain
      """
    #expect(ImportScanner.modules(in: source) == ["Plain", "Open", "Guarded", "Dates", "Maybe"])
  }

  @Test("a program in a string is no import")
  func importsInStrings() {
    let quotes = "\"\"\""
    let text = """
      import First
      let program = \(quotes)
        import os, sys
        \(quotes)
      let line = \(quotes)one\(quotes)
      import Second
      """
    #expect(ImportScanner.modules(in: text) == ["First", "Second"])
  }

  @Test("fenced blocks are found by language")
  func fences() {
    let page = "```sh\nls\n```\ntext\n```swift\nlet a = 1\n```\n```swift\nlet b = 2\n```\n"
    #expect(
      DocumentedPaths.fencedBlocks(of: page, language: "swift") == ["let a = 1\n", "let b = 2\n"])
  }

  @Test("paths are found in code, in trees and in links; patterns and addresses are not paths")
  func paths() {
    let page = """
      See `Sources/A/B.swift`, docs/x.md. Run `scripts/check --quick` and read [this](adr/0001.md#why)
      or [up](../README.md) or [there](https://example.org/docs/y.md). Not `Sources/*/Z.swift`, not
      `Sources/<module>/`, not a/b.

          Sources/Tree/      a folder
      """
    #expect(
      DocumentedPaths.paths(in: page, folder: "docs") == [
        "Sources/A/B.swift", "docs/x.md", "scripts/check", "docs/adr/0001.md", "README.md",
        "Sources/Tree/",
      ])
  }
}
