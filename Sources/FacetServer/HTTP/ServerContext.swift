// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Hummingbird
import NIOCore

/// What belongs to one request while it is answered.
struct ServerContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  /// The connection.
  let channel: any Channel
  /// Names the request in the log and in its response.
  var requestID = ""
  /// The family that the request's path speaks.
  var shape = APIShape.openAI

  init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    channel = source.channel
  }

  /// What says when the client goes away; nil where there is no connection, in tests.
  func clientWatch() async -> ClientWatch? {
    try? await channel.pipeline.handler(type: ClientWatch.self).get()
  }
}
