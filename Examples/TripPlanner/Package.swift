// swift-tools-version: 6.2
// A program whose types say themselves what a model may write, by macros.

import PackageDescription

let package = Package(
  name: "trip-planner",
  platforms: [.macOS(.v26)],
  dependencies: [.package(name: "facet", path: "../..", traits: ["Macros"])],
  targets: [
    .executableTarget(
      name: "TripPlanner", dependencies: [.product(name: "Facet", package: "facet")])
  ]
)
