// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser

@main
struct FacetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "facet", abstract: "Run Gemma models on the machine you have.")
}
