// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The version of Facet, as `facet version` says it.
public enum Version {
  /// Semantic Versioning; before 1.0, a minor version may change the API.
  public static let current = "0.1.0"
}
