// swift-tools-version: 6.2
// Two programs of their own that depend on Facet: a typed summary, and a search by meaning.

import PackageDescription

let facet: [Target.Dependency] = [.product(name: "Facet", package: "facet")]

let package = Package(
  name: "assistant",
  platforms: [.macOS(.v26)],
  dependencies: [.package(name: "facet", path: "../..", traits: [])],
  targets: [
    .executableTarget(name: "Summary", dependencies: facet),
    .executableTarget(name: "Retrieval", dependencies: facet),
  ]
)
