// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import Foundation
import Synchronization

/// A short answer that is kept in memory.
package final class ReceivedBody: Sendable {
  private let limit: Int
  private let bytes = Mutex(Data())

  package init(limit: Int) { self.limit = limit }

  /// What has come so far.
  package var data: Data { bytes.withLock { $0 } }

  /// Takes in more; a server may not fill the memory.
  package func append(_ data: Data) throws {
    try bytes.withLock { bytes in
      guard data.count <= limit - bytes.count else {
        throw HTTPFailure(.refused, "it answered with more than \(limit) bytes")
      }
      bytes.append(data)
    }
  }
}
