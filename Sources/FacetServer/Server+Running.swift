// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOSSL
import ServiceLifecycle
import Synchronization
import UnixSignals

extension Server {
  /// Listens and answers until the process is told to stop (SIGTERM, SIGINT).
  ///
  /// The first signal ends it once the running answers are there, or the deadline has passed; the second
  /// at once, by throwing `CancellationError`. `onListening` is told each place.
  public func run(onListening: @escaping @Sendable (Listener) -> Void = { _ in }) async throws {
    let builder = try serverBuilder()
    let responder = responder()
    let services = settings.listeners.map { listener in
      application(listener, responder, builder, onListening)
    }
    var configuration = ServiceGroupConfiguration(
      services: services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) },
      logger: logger)
    configuration.maximumGracefulShutdownDuration = settings.shutdownDeadline
    configuration.maximumCancellationDuration = .seconds(5)
    let group = ServiceGroup(configuration: configuration)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await self.watchSignals(group) }
      tasks.addTask {
        do {
          try await self.loadModels()
        } catch {
          self.logger.critical("\(ServerError(error).message)")
          throw error
        }
      }
      tasks.addTask {
        try await group.run()
        throw Finished()
      }
      do {
        while try await tasks.next() != nil {}
      } catch is Finished {
        tasks.cancelAll()
      }
    }
    await models.shutdown(deadline: .seconds(1))
    logger.info("Stopped")
  }

  /// The listeners are done.
  private struct Finished: Error {}

  private func watchSignals(_ group: ServiceGroup) async throws {
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    for await _ in signals {
      guard !isStopping else {
        logger.warning("Stopping at once")
        throw CancellationError()
      }
      logger.info("Stopping: running answers may finish")
      beginStopping()
      await group.triggerGracefulShutdown()
    }
  }

  private func application(
    _ listener: Listener, _ responder: RouterResponder<ServerContext>, _ builder: HTTPServerBuilder,
    _ onListening: @escaping @Sendable (Listener) -> Void
  ) -> Application<RouterResponder<ServerContext>> {
    var quiet = logger
    // Hummingbird's own lines say less than this server's.
    quiet.logLevel = max(logger.logLevel, .warning)
    return Application(
      responder: responder, server: builder,
      configuration: ApplicationConfiguration(
        address: .hostname(listener.host, port: listener.port), serverName: "facet",
        backlog: 1024,
        availableConnectionsDelegate: MaximumAvailableConnections(settings.maxConnections)),
      onServerRunning: { [logger] channel in
        let place = Listener(
          host: listener.host, port: channel.localAddress?.port ?? listener.port)
        logger.info("Listening at \(place)")
        onListening(place)
      }, logger: quiet)
  }

  /// Lines of the head of a request.
  static let mostHeaderLines = 200

  /// HTTP/1.1, under TLS where the settings have a certificate.
  func serverBuilder() throws -> HTTPServerBuilder {
    var decoder = HTTP1Channel.Configuration.DecoderConfiguration()
    decoder.maxHeaderFieldSize = settings.maxHeaderBytes
    decoder.maxHeaderListSize = settings.maxHeaderBytes
    decoder.maxHeaderFieldCount = Self.mostHeaderLines
    let configuration = HTTP1Channel.Configuration(
      additionalChannelHandlers: [ClientWatch()], idleTimeout: .seconds(75),
      httpDecoderConfiguration: decoder)
    let http = HTTPServerBuilder { responder in
      RefusingChannel(
        http: HTTP1Channel(responder: responder, configuration: configuration), server: self)
    }
    guard let certificate = settings.tlsCertificate, let key = settings.tlsKey else { return http }
    do {
      let chain = try NIOSSLCertificate.fromPEMFile(certificate).map {
        NIOSSLCertificateSource.certificate($0)
      }
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: chain,
        privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
      configuration.minimumTLSVersion = .tlsv12
      configuration.applicationProtocols = ["http/1.1"]
      return try .tls(http, tlsConfiguration: configuration)
    } catch {
      throw ServerError(
        .invalidSettings,
        "The certificate '\(certificate)' and the key '\(key)' cannot be used: \(error)")
    }
  }

  /// What can be found out without listening: certificates that can be read, models that are there.
  public func check() throws {
    _ = try serverBuilder()
    for name in models.wanted { _ = try models.name(name) }
  }
}
