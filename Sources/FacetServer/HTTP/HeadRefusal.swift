// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetJSON
package import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// HTTP/1.1 where a request whose head cannot be read, since it is too large or malformed, is refused in the
/// shape of the API that it calls.
///
/// Such a request never becomes one: the parser gives up before it has told the path. So its first bytes are
/// kept from before the parser, and the refusal is written there.
struct RefusingChannel: ServerChildChannel {
  typealias Value = HTTP1Channel.Value

  let http: HTTP1Channel
  let server: Server

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.addHandler(RequestStart())
    }.flatMap {
      http.setup(channel: channel, logger: logger)
    }.flatMapThrowing { value in
      let pipeline = channel.pipeline.syncOperations
      let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
      try pipeline.addHandler(
        HeadRefusal(server, try pipeline.handler(type: RequestStart.self)),
        position: .after(parser))
      return value
    }
  }

  func handle(value: Value, logger: Logger) async {
    await http.handle(value: value, logger: logger)
  }
}

/// Before the parser: keeps the first bytes of a request until its head is read.
private final class RequestStart: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// What is kept, from the request line on.
  private(set) var bytes: [UInt8] = []
  private var context: ChannelHandlerContext?
  private var state = State.head

  private enum State {
    /// A head is on its way.
    case head
    /// A body is, or nothing.
    case body
    /// The connection is to end; what still comes is read away, so that the client gets to read why.
    case refused
  }

  /// Enough for the request line of every route.
  private static let most = 2048

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch state {
    case .refused: return
    case .body: break
    case .head:
      bytes += Self.unwrapInboundIn(data).readableBytesView.prefix(Self.most - bytes.count)
    }
    context.fireChannelRead(data)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if state == .refused, case .inputClosed? = event as? ChannelEvent {
      context.close(promise: nil)
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }

  /// The head is read.
  func headEnded() {
    state = .body
    bytes = []
  }

  /// The request is read; the next thing is another's head.
  func requestEnded() { state = .head }

  /// Writes what the client reads last.
  func refuse(with response: String) {
    state = .refused
    context?.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: response)), promise: nil)
    context?.close(mode: .output, promise: nil)
  }
}

/// After the parser: refuses what it gave up on, unless another answer is under way.
private final class HeadRefusal: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart

  private let server: Server
  private let start: RequestStart
  /// Requests that were read and not answered.
  private var open = 0

  init(_ server: Server, _ start: RequestStart) {
    self.server = server
    self.start = start
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch Self.unwrapInboundIn(data) {
    case .head:
      open += 1
      start.headEnded()
    case .body: break
    case .end: start.requestEnded()
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if case .end = Self.unwrapOutboundIn(data) { open -= 1 }
    context.write(data, promise: promise)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let error = error as? HTTPParserError, open == 0 else {
      return context.fireErrorCaught(error)
    }
    start.refuse(with: refusal(of: error).text)
  }

  private func refusal(of error: HTTPParserError) -> HeadAnswer {
    let limit = server.settings.maxHeaderBytes
    let refusal =
      error == .headerOverflow
      ? ServerError(
        .headTooLarge,
        "The head of the request is larger than \(limit) bytes, which is the limit (max_header_bytes of "
          + "the server), or has more than \(Server.mostHeaderLines) lines.")
      : ServerError(.invalidRequest, "The request is no well-formed HTTP/1.1.")
    let answer = HeadAnswer(to: start.bytes, refusal)
    server.metrics.count(
      ServerMetrics.Responses(api: "\(answer.shape)", status: answer.status.code))
    server.logger.info("\(refusal.message)", metadata: ["status": "\(answer.status.code)"])
    return answer
  }
}

/// A refusal as bytes of HTTP, in the shape of the API that the beginning of a request names.
package struct HeadAnswer {
  package let shape: APIShape
  package let status: HTTPResponse.Status
  /// The whole response.
  package let text: String

  package init(to start: [UInt8], _ error: ServerError) {
    let line = start.prefix { $0 != 0x0D && $0 != 0x0A }
    let words = line.split(separator: 0x20)
    let target = String(decoding: words.count > 1 ? words[1] : [], as: UTF8.self)
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    shape = APIShape(
      path: parts.first.map { String($0) } ?? "",
      query: parts.count > 1 ? String(parts[1]) : nil)
    status = shape.status(of: error)
    let body = shape.body(of: error).text
    text = """
      HTTP/1.1 \(status.code) \(status.reasonPhrase)\r
      Content-Type: application/json; charset=utf-8\r
      Content-Length: \(body.utf8.count)\r
      Connection: close\r
      Server: facet\r
      \r
      \(body)
      """
  }
}
