// swift-tools-version: 6.2
// A web server of one's own that answers with Facet.

import PackageDescription

let package = Package(
  name: "chat-server",
  platforms: [.macOS(.v26)],
  dependencies: [
    .package(name: "facet", path: "../..", traits: []),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
  ],
  targets: [
    .executableTarget(
      name: "ChatServer",
      dependencies: [
        .product(name: "Facet", package: "facet"),
        .product(name: "Hummingbird", package: "hummingbird"),
      ])
  ]
)
