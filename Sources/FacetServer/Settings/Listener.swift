// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A place where the server listens: an address and a port.
public struct Listener: Sendable, Hashable, CustomStringConvertible {
  /// A name or an address; `0.0.0.0` and `::` are all of the machine's.
  public var host: String
  /// The port; 0 lets the system choose.
  public var port: Int

  /// A place.
  public init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// Reads `HOST:PORT`, `[ADDRESS]:PORT`, `:PORT`, `HOST` or a URL's beginning; the port is 11434 where
  /// none is given.
  public init(_ text: String) throws(ServerError) {
    var rest = Substring(text)
    for scheme in ["http://", "https://"] where rest.hasPrefix(scheme) {
      rest = rest.dropFirst(scheme.count)
    }
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    var portText: Substring?
    if rest.hasPrefix("["), let close = rest.firstIndex(of: "]") {
      host = String(rest[rest.index(after: rest.startIndex)..<close])
      let after = rest[rest.index(after: close)...]
      portText = after.isEmpty ? nil : after.dropFirst()
      guard after.isEmpty || after.hasPrefix(":") else { throw Self.malformed(text) }
    } else if let colon = rest.lastIndex(of: ":") {
      host = String(rest[..<colon])
      portText = rest[rest.index(after: colon)...]
    } else {
      host = String(rest)
    }
    if host.isEmpty { host = "0.0.0.0" }
    guard let number = portText.map({ Int($0) }) ?? Self.defaultPort, (0...65535).contains(number),
      !host.contains(where: { $0.isWhitespace || "[]".contains($0) }),
      !host.contains(":") || text.contains("[")
    else { throw Self.malformed(text) }
    port = number
  }

  /// The port that Ollama's clients ask at.
  public static let defaultPort = 11434

  /// Whether only this machine reaches it.
  public var isLoopback: Bool {
    host == "localhost" || host == "::1" || host.hasPrefix("127.")
  }

  /// As it is written.
  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  private static func malformed(_ text: String) -> ServerError {
    ServerError(
      .invalidSettings,
      "'\(text)' is no place to listen at; write HOST:PORT, such as 127.0.0.1:11434 or [::1]:8080.")
  }
}
