// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version",
    abstract: "Print the version, the platform and the CPU's kernels.")

  func validate() throws { _ = try EngineOptions.instructionSetOfEnvironment() }

  func run() throws {
    let instructionSet = try EngineOptions.instructionSetOfEnvironment() ?? .best
    try OutputFile.standard.write(
      "facet \(Version.current) (\(Self.platform), \(instructionSet.rawValue))\n")
  }

  private static var platform: String {
    #if os(Linux)
      let system = "Linux"
    #elseif os(macOS)
      let system = "macOS"
    #else
      let system = "other"
    #endif
    #if arch(x86_64)
      return system + " x86-64"
    #elseif arch(arm64)
      return system + " AArch64"
    #else
      return system
    #endif
  }
}
