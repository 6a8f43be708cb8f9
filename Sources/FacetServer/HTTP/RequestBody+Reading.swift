// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
import HTTPTypes
import Hummingbird
import NIOCore

extension Request {
  /// The body, of at most `limit` bytes.
  ///
  /// What is left of a larger one is read away, so that the client gets to read the refusal; more than
  /// sixteen times the limit closes the connection.
  func bytes(limit: Int, context: ServerContext) async throws -> ByteBuffer {
    let refusal = ServerError(
      .tooLarge,
      "The body is larger than \(limit) bytes, which is the limit (max_body_bytes of the server).")
    var collected = ByteBuffer()
    var count = 0
    do {
      for try await part in body {
        count += part.readableBytes
        if count <= limit {
          collected.writeImmutableBuffer(part)
        } else if count > limit * 16 {
          context.channel.close(promise: nil)
          throw refusal
        }
      }
    } catch let error as ServerError {
      throw error
    } catch {
      throw ServerError(.clientGone, "The client went away.")
    }
    guard count <= limit else { throw refusal }
    return collected
  }

  /// The body as a JSON object.
  func fields(
    _ server: Server, _ context: ServerContext, readsSnakeCase: Bool = false
  ) async throws -> Fields {
    let value = try await json(server, context)
    guard let object = value.object else {
      throw ServerError(.invalidRequest, "The body must be a JSON object.")
    }
    return Fields(object, readsSnakeCase: readsSnakeCase)
  }

  /// The body as JSON.
  func json(_ server: Server, _ context: ServerContext) async throws -> JSON {
    let buffer = try await bytes(limit: server.settings.maxBodyBytes, context: context)
    guard buffer.readableBytes > 0 else {
      throw ServerError(.invalidRequest, "missing request body")
    }
    return try RequestJSON.read(Array(buffer.readableBytesView))
  }
}

/// JSON of a request.
enum RequestJSON {
  /// The value that `bytes` write.
  static func read(_ bytes: [UInt8]) throws(ServerError) -> JSON {
    do {
      return try JSONReader.read(bytes, path: "body")
    } catch {
      throw ServerError(.invalidRequest, error.message)
    }
  }
}
