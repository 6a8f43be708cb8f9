// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// Measurements of the real model that take minutes: `scripts/check-quality` asks for them.
public enum Quality {
  /// Whether they are run.
  public static let isAsked = ProcessInfo.processInfo.environment["FACET_QUALITY"] == "1"
  /// Why a test that only measures is skipped.
  public static let unasked = "minutes of work; scripts/check-quality asks for it"
}
