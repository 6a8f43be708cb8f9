// swift-tools-version: 6.2
// A program of its own that depends on Facet.

import PackageDescription

let package = Package(
  name: "text-generation",
  platforms: [.macOS(.v26)],
  dependencies: [.package(name: "facet", path: "../..", traits: [])],
  targets: [
    .executableTarget(
      name: "TextGeneration", dependencies: [.product(name: "Facet", package: "facet")])
  ]
)
