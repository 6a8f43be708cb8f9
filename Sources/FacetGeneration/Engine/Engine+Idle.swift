// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension Engine {
  /// Returns when everything that was asked is answered.
  public func untilIdle() async { await inbox.untilIdle() }

  /// Bytes of the weights, which lie in a mapped file, and of the caches.
  public var byteCount: Int { model.card.byteCount + status.cacheBytes }
}
