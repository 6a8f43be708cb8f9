// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The terms under which a model may be used.
///
/// Shown when the model arrives and kept beside it.
public struct Licence: Sendable, Hashable, Codable {
  /// The licence's name.
  public let name: String
  /// What must be passed on with the model, or where its terms are found.
  public let notice: String
  /// Where the full text is.
  public let url: String

  /// Makes a licence.
  public init(name: String, notice: String, url: String) {
    self.name = name
    self.notice = notice
    self.url = url
  }

  package static let gemma = Licence(
    name: "Gemma Terms of Use",
    notice: "Gemma is provided under and subject to the Gemma Terms of Use found at "
      + "ai.google.dev/gemma/terms",
    url: "https://ai.google.dev/gemma/terms")

  package static let llama2 = Licence(
    name: "Llama 2 Community License",
    notice: "Llama 2 is licensed under the LLAMA 2 Community License, Copyright (c) Meta "
      + "Platforms, Inc. All Rights Reserved.",
    url: "https://ai.meta.com/llama/license")

  package static let apache = Licence(
    name: "Apache License 2.0",
    notice: "Licensed under the Apache License, Version 2.0.",
    url: "https://www.apache.org/licenses/LICENSE-2.0")

  /// The licence a model's page on the Hub names by `identifier`.
  package static func named(_ identifier: String?, page: String) -> Licence {
    switch identifier {
    case "gemma": .gemma
    case "llama2": .llama2
    case "apache-2.0": .apache
    case let other?:
      Licence(name: other, notice: "The model's page states its licence as '\(other)'.", url: page)
    case nil:
      Licence(
        name: "not stated",
        notice: "The model's page states no licence; ask its owner before using it.", url: page)
    }
  }
}
