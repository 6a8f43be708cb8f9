// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Testing

/// The manifest and the imports against docs/architecture.md.
@Suite("Layers")
struct LayerTests {
  let documented: Arrows
  let manifest: Arrows
  let modules: [String]

  init() throws {
    documented = Arrows(markdown: try Repository.text("docs/architecture.md"))
    manifest = Arrows(manifest: try Repository.text("Package.swift"))
    modules = try Repository.entries(of: "Sources")
  }

  /// The modules between the kernels and the umbrella, which depend on nothing but the toolchain.
  static let engine = [
    "CFacetKernels", "FacetTensor", "FacetTokenizer", "FacetJSON", "FacetCheckpoint", "FacetGuides",
    "FacetModel", "FacetGeneration",
  ]
  /// Modules of the toolchain that any of ours may import.
  static let toolchain: Set<String> = [
    "Foundation", "FoundationEssentials", "FoundationNetworking", "Synchronization", "Dispatch",
    "Glibc", "Musl", "Darwin", "FoundationModels",
  ]

  @Test("Package.swift has exactly the modules that docs/architecture.md lists")
  func modulesAgree() {
    #expect(!documented.modules.isEmpty)
    #expect(manifest.modules == documented.modules)
    #expect(Set(modules) == documented.modules)
  }

  @Test("each module depends on exactly what docs/architecture.md says")
  func arrowsAgree() {
    for module in documented.modules.sorted() {
      #expect(manifest.direct[module] == documented.direct[module], "dependencies of \(module)")
    }
  }

  @Test("no arrow leads back up")
  func arrowsPointDown() {
    for module in documented.modules.sorted() {
      #expect(!documented.reachable(from: module).contains(module), "\(module) reaches itself")
    }
  }

  @Test("the engine depends on no third party", arguments: engine)
  func engineStandsAlone(_ module: String) {
    #expect(documented.reachable(from: module).isSubset(of: documented.modules))
  }

  @Test("a file imports only modules below its own, the toolchain's, or its module's products")
  func importsFollowArrows() throws {
    for module in modules {
      let allowed = documented.reachable(from: module).union(Self.toolchain)
      for file in Repository.files(under: "Sources/" + module, suffix: ".swift") {
        for name in ImportScanner.modules(in: try Repository.text(file)) {
          #expect(allowed.contains(name), "\(file) imports \(name)")
        }
      }
    }
  }

  @Test(
    "only the programs import ArgumentParser, only the server serves, only the store fetches, only macros read Swift"
  )
  func edgesStayAtTheEdge() throws {
    let edges: [String: Set<String>] = [
      "ArgumentParser": ["FacetCLI", "FacetServe"], "FoundationNetworking": ["FacetStore"],
      "Hummingbird": ["FacetServer"], "NIOCore": ["FacetServer"], "NIOHTTP1": ["FacetServer"],
      "SwiftSyntax": ["FacetMacros"],
    ]
    for module in modules {
      for file in Repository.files(under: "Sources/" + module, suffix: ".swift") {
        for name in ImportScanner.modules(in: try Repository.text(file)) {
          #expect(edges[name]?.contains(module) ?? true, "\(file) imports \(name)")
        }
      }
    }
  }

  @Test("every Swift module has a test target of its name, with tests in it")
  func testsMirrorSources() throws {
    let manifest = try Repository.text("Package.swift")
    let tests = Set(ManifestTarget.all(in: manifest).filter(\.isTest).map(\.name))
    for module in modules where module != "CFacetKernels" {
      #expect(tests.contains(module + "Tests"), "\(module) has no test target")
      let files = Repository.files(under: "Tests/\(module)Tests", suffix: ".swift")
      let cases = try files.filter { try Repository.text($0).contains("@Test") }
      #expect(!cases.isEmpty, "Tests/\(module)Tests holds no test")
    }
  }

  @Test("no module is an attic", arguments: ["Common", "Util", "Helper", "Manager", "Misc"])
  func noAttic(_ word: String) {
    let files = Repository.files(under: "Sources", suffix: "")
    #expect(files.filter { $0.contains(word) } == [])
  }
}
