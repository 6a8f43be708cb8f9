// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint

/// The hashes by which lm-eval tells prompts and targets apart.
package enum PromptHash {
  /// SHA-256 of the UTF-8 of `text`, as 64 hexadecimal digits.
  package static func of(_ text: String) -> String { SHA256.hex([UInt8](text.utf8)) }
}

extension DocumentScore {
  /// `prompt_hash`: of the context of the first request.
  package var promptHash: String { PromptHash.of(requests.first?.context ?? "") }

  /// `target_hash`: of the target as Python's `str` writes it.
  package var targetHash: String { PromptHash.of(target) }
}
